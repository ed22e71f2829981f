# Every tag that an animal carries today becomes a span with an open start: nobody wrote down since when.


def migrate(cr, _version):
    for kind, column in (('rfid', 'rfid_tag'), ('ear', 'ear_tag')):
        cr.execute(
            f"""INSERT INTO farm_animal_tag (animal_id, kind, tag, farm_id, company_id, create_uid, write_uid, create_date, write_date)
                SELECT a.id, %s, a.{column}, a.farm_id, a.company_id, 1, 1, now() AT TIME ZONE 'UTC', now() AT TIME ZONE 'UTC'
                  FROM farm_animal a
                 WHERE a.{column} IS NOT NULL
                   AND NOT EXISTS (SELECT FROM farm_animal_tag t WHERE t.animal_id = a.id AND t.kind = %s)""",
            (kind, kind))
