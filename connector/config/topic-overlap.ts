// Whether two topic templates take the same topics: the first one that fits decides, so a second one may never be asked.
import { isMessageType, toDeviceType, type TopicTemplate } from '../../contract/topics.ts';

type Level = TopicTemplate['levels'][number];

/** What is wrong with a template that stands behind others, by their words for people; undefined when nothing is. */
export function overlapProblem(
  template: TopicTemplate,
  earlier: readonly { name: string; template: TopicTemplate }[],
): string | undefined {
  for (const { name, template: first } of earlier) {
    if (covers(first, template)) return `never fits: '${name}' stands before it and takes its topics`;
    // A narrower one first is meant so.
    if (meets(first, template) && !covers(template, first))
      return `is ambiguous: some topics fit '${name}' too; make a level of one of them a word`;
  }
  return undefined;
}

const covers = (a: TopicTemplate, b: TopicTemplate) => everyLevel(a, b, levelCovers);
const meets = (a: TopicTemplate, b: TopicTemplate) =>
  everyLevel(
    a,
    b,
    (one, other) => levelCovers(one, other) || levelCovers(other, one) || areBothFree(one, other),
  );

const everyLevel = (a: TopicTemplate, b: TopicTemplate, fits: (one: Level, other: Level) => boolean) =>
  a.levels.length === b.levels.length &&
  a.levels.every((level, index) => {
    const other = b.levels[index];
    return other !== undefined && fits(level, other);
  });

/** Device types and message types are few words; farms and uids are any. */
function levelCovers(one: Level, other: Level): boolean {
  if ('word' in one) return 'word' in other && one.word === other.word;
  if (one.placeholder === 'farm' || one.placeholder === 'device_uid') return true;
  if ('placeholder' in other) return one.placeholder === other.placeholder;
  return one.placeholder === 'device_type'
    ? toDeviceType(other.word) !== undefined
    : isMessageType(other.word);
}

/** No word is a device type and a message type. */
const areBothFree = (one: Level, other: Level) =>
  'placeholder' in one && 'placeholder' in other && one.placeholder === other.placeholder;
