// Starts a tied program in the folder that is given, tells its process id there, and lives on until it is killed.
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { startTied } from '../../../../scripts/ops/kafka/tied.ts';

const [folder = ''] = process.argv.slice(2);
const program = ['sh', '-c', 'echo $$ > "$0/pid"; exec sleep 1000', folder];
startTied(program, folder, openSync(join(folder, 'log'), 'a'));
process.on('SIGINT', () => process.exit(130));
