// Every kind that is pulled from Odoo. A new one is one file beside this one and one word here.
import * as z from 'zod';
import { animal } from './animal.ts';
import { animalTag } from './animal-tag.ts';
import { assignment } from './assignment.ts';
import { device } from './device.ts';
import { farm } from './farm.ts';
import type { KeptKind } from './kind.ts';
import { pen } from './pen.ts';
import { threshold } from './threshold.ts';
import { tombstoneOf } from './tombstone.ts';

/** In the order in which they refer to each other. */
const kept = [farm, pen, animal, animalTag, device, assignment, threshold] as const;
const descriptors = [...kept, tombstoneOf(kept)] as const;

type Descriptor = (typeof descriptors)[number];
export type PullKind = Descriptor['kind'];
/** A record of a kind, checked. */
export type PulledRecord<K extends PullKind> = z.output<Extract<Descriptor, { kind: K }>['schema']>;

/** Every kind by its name. */
export const pulledKinds = Object.fromEntries(
  descriptors.map((descriptor) => [descriptor.kind, descriptor]),
) as unknown as { readonly [K in PullKind]: Extract<Descriptor, { kind: K }> };

export const pullKinds: readonly PullKind[] = descriptors.map(({ kind }) => kind);
export const pullKindSchema = z.enum(pullKinds);

/** Where the records of a kind stay; undefined for one that keeps none. */
export const keptOf = (wanted: PullKind): KeptKind<PullKind, z.ZodType> | undefined =>
  (kept as readonly KeptKind<PullKind, z.ZodType>[]).find(({ kind }) => kind === wanted);

/** Kinds to pull when these have changed: what was deleted says so elsewhere. */
export const withDeletions = (kinds: readonly PullKind[]): PullKind[] => [
  ...new Set<PullKind>([...kinds, 'tombstone']),
];
