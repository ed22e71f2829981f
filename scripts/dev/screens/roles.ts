// One person for each role, made in a running Odoo by its administrator.
import { randomBytes } from 'node:crypto';
import type { Login, Visitor } from './visitor.ts';

/** The administrator, and people with one group each. */
export const roles = {
  user: 'smart_dairy_farm.group_farm_user',
  vet: 'smart_dairy_farm.group_veterinarian',
  manager: 'smart_dairy_farm.group_farm_manager',
  iot_admin: 'smart_dairy_iot.group_iot_admin',
  admin: undefined,
} as const;
export type Role = keyof typeof roles;

export const languages = { en: 'en_US', bn: 'bn_IN' } as const;
export type Language = keyof typeof languages;

/** Installs Bangla where it is not there yet. */
export async function installBangla({ call }: Visitor): Promise<void> {
  const found = (await call('res.lang', 'search_read', [[['code', '=', languages.bn]], ['id']], {
    context: { active_test: false },
  })) as { id: number }[];
  const ids = found.map((language) => language.id);
  // Active first, in a call of its own: while others use Odoo, its memory of the languages may lag within one transaction.
  await call('res.lang', 'write', [ids, { active: true }]);
  const id = (await call('base.language.install', 'create', [
    { lang_ids: [[6, 0, ids]], overwrite: false },
  ])) as number;
  await call('base.language.install', 'lang_install', [[id]]);
}

/** Makes, or finds, the person of a role and gives them a language. Returns how they log in. */
export async function personOf(
  { call }: Visitor,
  admin: Login,
  role: Role,
  language: Language,
): Promise<Login> {
  const group = roles[role];
  const login = group === undefined ? admin.login : `screens_${role}`;
  const values = { lang: languages[language], tz: 'Asia/Dhaka' };
  const [known] = (await call('res.users', 'search', [[['login', '=', login]]])) as number[];
  if (group === undefined) {
    await call('res.users', 'write', [[known], values]);
    return admin;
  }
  const [module = '', name = ''] = group.split('.');
  const [groupId] = (await call('ir.model.data', 'search_read', [
    [
      ['module', '=', module],
      ['name', '=', name],
    ],
    ['res_id'],
  ])) as { res_id: number }[];
  const password = randomBytes(12).toString('base64url');
  const person = { ...values, name: names[role], password, group_ids: [[6, 0, [groupId?.res_id]]] };
  if (known === undefined) await call('res.users', 'create', [{ ...person, login }]);
  else await call('res.users', 'write', [[known], person]);
  return { ...admin, login, password };
}

const names: Record<Role, string> = {
  user: 'Rahim (farm staff)',
  vet: 'Dr. Nasrin (vet)',
  manager: 'Salma (manager)',
  iot_admin: 'Tarek (IoT)',
  admin: 'Administrator',
};
