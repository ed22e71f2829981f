// odoo-screens: what people wait for in a real Odoo with 50,000 milkings: list, pivot, graph; and what many records at once cost.
import type { BenchContext, BenchResult } from './harness/bench.ts';
import { benchOdoo } from './harness/odoo.ts';

const milkings = 50_000;

/** Fills the database with a month of 250 cows, then does what the web client asks the server for. Prints name and value a line. */
const script = (rounds: number) => `
import statistics
import time
from datetime import timedelta
from lxml import etree

farm = env['farm.farm'].create({'name': 'Bench', 'code': 'bench_screens'})
cows = env['farm.animal'].with_context(tracking_disable=True).create([
    {'name': 'Cow %d' % n, 'ear_tag': 'S%d' % n, 'farm_id': farm.id} for n in range(250)])
meters = env['iot.device'].create([
    {'name': 'Meter %d' % n, 'device_uid': 'meter_%d' % n, 'device_type': 'milk_meter', 'farm_id': farm.id} for n in range(20)])
env.flush_all()
env.cr.execute("""
    INSERT INTO iot_milk_session (farm_id, company_id, animal_id, device_id, stall, identification, start_datetime, end_datetime,
        duration_seconds, milking_of_day, is_complete, active, is_void, has_conflict, has_clock_doubt, is_abnormal, yield_kg,
        expected_yield_kg, abnormal_percent, expected_days, expected_least, fat_percentage, protein_percentage, somatic_cell_count, quality_grade, source, source_id, revision,
        create_uid, write_uid, create_date, write_date)
    SELECT %s, %s, (%s::int[])[1 + n %% 250], (%s::int[])[1 + n %% 20], (n %% 20)::text, 'identified', at, at + interval '6 minutes',
        360, CASE WHEN n %% 2 = 0 THEN 'morning' ELSE 'evening' END, true, true, false, false, false, n %% 50 = 0, 8 + n %% 90 / 10.0,
        12, 30, 30, 3, 3.5 + n %% 10 / 10.0, 3.1, 100000 + n, 'A', 'bench', 'bench/' || n, 1, 1, 1, now(), now()
      FROM (SELECT n, date_trunc('second', now() AT TIME ZONE 'UTC') - n * interval '52 seconds' AS at
              FROM generate_series(0, ${milkings - 1}) AS n) AS days""",
    [farm.id, farm.company_id.id, cows.ids, meters.ids])
env.cr.execute("ANALYZE iot_milk_session")
env.cr.commit()

Session = env['iot.milk.session'].with_user(env.ref('base.user_admin'))
arch = etree.fromstring(Session.get_view(view_type='list')['arch'])
spec = {node.get('name'): {'fields': {'display_name': {}}} if Session._fields[node.get('name')].type == 'many2one' else {}
        for node in arch.iter('field')}
mine = [('farm_id', '=', farm.id)]
# As the screens open: list and pivot with this week, the graph with the last 30 days.
def since(days):
    return [*mine, ('start_datetime', '>=', odoo.fields.Datetime.now() - timedelta(days=days))]
week, month = since(7), since(30)
sums = ['__count', 'yield_kg:sum']
pivot = [[], ['animal_id'], ['start_datetime:day'], ['animal_id', 'start_datetime:day']]
screens = {
    'list_ms': lambda: Session.web_search_read(week, spec, limit=80, count_limit=10001),
    'pivot_ms': lambda: Session.formatted_read_grouping_sets(week, pivot, sums),
    'graph_ms': lambda: Session.formatted_read_group(month, ['start_datetime:day', 'milking_of_day'], sums),
}
def timed(work):
    env.invalidate_all()
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)
for name, work in screens.items():
    work()
    print('FIGURE', name, round(statistics.median(timed(work) for _round in range(${rounds})), 1))

def queries(work):
    env.flush_all()
    env.invalidate_all()
    before = env.cr.sql_log_count
    work()
    env.flush_all()
    return env.cr.sql_log_count - before
def told(revision):
    return [{
        'source': 'smart_dairy', 'source_id': 'bench_screens/d%d' % n, 'revision': revision, 'farm': 'bench_screens',
        'device_uid': 'd%d' % n, 'device_type': 'milk_meter', 'last_seen': '2026-05-01 04:%02d:%02d' % (n // 60 % 60, n % 60),
        'message_count': revision * 1000 + n, 'battery_level': (n + revision) % 100} for n in range(1000)]
Device = env['iot.device']
Device.upsert_batch(told(1))
print('FIGURE', 'device_update_queries', queries(lambda: Device.upsert_batch(told(2))))
thousand = Session.with_context(tracking_disable=True).search(mine)[::${milkings / 1_000}]
print('FIGURE', 'correction_queries', queries(lambda: thousand.write({'animal_id': cows[0].id})))
company = env['res.company'].create({'name': 'Bench Elsewhere'})
began = time.perf_counter()
print('FIGURE', 'company_change_queries', queries(lambda: farm.write({'company_id': company.id})))
print('FIGURE', 'company_change_ms', round(1000 * (time.perf_counter() - began)))
`;

/** Runs the benchmark. Milliseconds are medians on the server; queries are of 1,000 records, of the whole farm for its company. */
export async function run(context: BenchContext): Promise<BenchResult> {
  const odoo = await benchOdoo(context);
  try {
    context.report(`${milkings} milkings into Odoo, then its screens`);
    const output = await odoo.shell(script(context.quick ? 5 : 20));
    const figures = [...output.matchAll(/^(?:>>> |\.\.\. )*FIGURE (\w+) ([\d.]+)$/gm)].map(
      ([, name = '', value = '']) => [name, Number(value)] as const,
    );
    if (figures.length !== 7) throw new Error(`Odoo's shell ended early: ${output.slice(-500)}`);
    return { milkings, ...Object.fromEntries(figures) };
  } finally {
    await odoo.drop();
  }
}
