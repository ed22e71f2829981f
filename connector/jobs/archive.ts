// The archive: a gzipped CSV and a manifest a day, written before the day is dropped, brought back when it is wanted.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { access, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createGzip } from 'node:zlib';
import * as z from 'zod';
import { AppError } from '../../contract/errors.ts';
import { daysToArchive, dropArchived, exportDay, importDay } from '../db/archive.ts';
import type { Db } from '../db/pool.ts';

const manifestSchema = z.strictObject({
  day: z.iso.date(),
  file: z.string(),
  rows: z.int(),
  /** Of all values. */
  sum: z.number(),
  /** Of the file as it lies there. */
  sha256: z.string(),
  archived_at: z.iso.datetime(),
});

/** What is known of an archived day. */
export type ArchiveManifest = z.infer<typeof manifestSchema>;

/** How often a day may get late readings between its file and its drop before it waits for the next run. */
const attempts = 3;

/** Archives and drops all days that are past their retention. Returns their manifests. */
export async function archiveOldDays(db: Db, folder: string): Promise<ArchiveManifest[]> {
  await mkdir(folder, { recursive: true });
  const done: ArchiveManifest[] = [];
  for (const day of await daysToArchive(db)) {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const manifest = await writeDay(db, folder, day);
      if (!(await dropArchived(db, day, manifest.file, manifest.rows))) continue;
      done.push(manifest);
      break;
    }
  }
  return done;
}

/** Writes the day's files. Files of an earlier archive of the same day stay: they may hold what this one does not. */
async function writeDay(db: Db, folder: string, day: string): Promise<ArchiveManifest> {
  const name = await freeName(folder, day);
  const part = join(folder, `${name}.csv.gz.part`);
  const sums = await exportDay(db, day, (csv) =>
    pipeline(csv, createGzip(), createWriteStream(part, { flush: true })),
  );
  const sha256 = await digestOf(part);
  const file = `${name}.csv.gz`;
  const manifest = { day, file, ...sums, sha256, archived_at: new Date().toISOString() };
  await rename(part, join(folder, file));
  await writeFile(join(folder, `${name}.json`), `${JSON.stringify(manifest, null, 2)}\n`, { flush: true });
  return manifest;
}

/** `reading-2026-08-01`, or with a number behind it for a later archive of the same day. */
async function freeName(folder: string, day: string): Promise<string> {
  for (let number = 1; ; number++) {
    const name = nameOf(day, number);
    if (!(await exists(join(folder, `${name}.json`)))) return name;
  }
}

const nameOf = (day: string, number: number) =>
  number === 1 ? `reading-${day}` : `reading-${day}.${number}`;

/**
 * Brings a day back, all its files, and keeps it for `keepDays`. Returns how many rows were new. Throws AppError
 * `invalid` when there is no such archive, or a file is not what its manifest says.
 */
export async function restoreDay(db: Db, folder: string, day: string, keepDays: number): Promise<number> {
  let added = 0;
  let number = 1;
  for (; await exists(join(folder, `${nameOf(day, number)}.json`)); number++) {
    const text = await readFile(join(folder, `${nameOf(day, number)}.json`), 'utf8');
    const { file, sha256 } = manifestSchema.parse(JSON.parse(text));
    const path = join(folder, file);
    if ((await digestOf(path)) !== sha256)
      throw new AppError('invalid', `${path} is damaged: it is not what its manifest says`);
    const gunzip = createGunzip();
    const unpacking = pipeline(createReadStream(path), gunzip);
    const [rows] = await Promise.all([importDay(db, day, gunzip, keepDays), unpacking]);
    added += rows;
  }
  if (number === 1) throw new AppError('invalid', `${folder} has no archive of ${day}`);
  return added;
}

async function digestOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}
