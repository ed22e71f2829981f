// `npm run docs`: writes the reference pages that are made from schemas. A test fails when they are not current.
import { writeFileSync } from 'node:fs';
import { generated } from './generated.ts';

for (const [file, text] of await generated()) {
  writeFileSync(file, text);
  console.log(`wrote ${file}`);
}
