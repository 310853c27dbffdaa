-- A person search in PostgreSQL by an engineer who knows it: b-trees on the date of birth and on phonetic keys, a trigram
-- index to fall back on, and a score of its own for what they bring.
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

ALTER TABLE names ADD whole text, ADD first_sound text, ADD last_sounds text[];
UPDATE names SET whole = first || ' ' || last, first_sound = dmetaphone(first),
  last_sounds = (SELECT array_agg(DISTINCT dmetaphone(word))
                 FROM unnest(string_to_array(last, ' ') || replace(last, ' ', '')) word WHERE length(word) > 1);
CREATE INDEX names_born ON names (born);
CREATE INDEX names_license ON names (license) WHERE license <> '';
CREATE INDEX names_whole ON names USING gin (whole gin_trgm_ops);
CREATE TABLE sounds AS SELECT unnest(last_sounds) last_sound, first_sound, born, ctid AS place FROM names;
CREATE INDEX sounds_all ON sounds (last_sound, first_sound, born) INCLUDE (place);

CREATE FUNCTION word_likeness(a text, b text) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
  SELECT CASE WHEN a = b THEN 1.0 ELSE greatest(
    1.0 - levenshtein(left(a, 40), left(b, 40))::float8 / greatest(length(a), length(b), 1),
    CASE WHEN dmetaphone(a) = dmetaphone(b) AND length(a) > 2 THEN 0.85 ELSE 0 END) END $f$;
CREATE FUNCTION surname_likeness(a text, b text) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
  SELECT CASE WHEN a = '' OR b = '' THEN 0.6 WHEN a = b THEN 1.0 ELSE greatest(
    word_likeness(replace(a, ' ', ''), replace(b, ' ', '')),
    CASE WHEN position(' ' in a) > 0 OR position(' ' in b) > 0 THEN
      (SELECT max(word_likeness(x, y)) FROM unnest(string_to_array(a, ' ')) x, unnest(string_to_array(b, ' ')) y
       WHERE length(x) > 2 AND length(y) > 2) * 0.95 END) END $f$;
CREATE FUNCTION given_likeness(a text, b text) RETURNS float8 LANGUAGE sql STABLE PARALLEL SAFE AS $f$
  SELECT CASE WHEN a = '' OR b = '' THEN 0.6 WHEN a = b THEN 1.0 ELSE greatest(
    word_likeness(a, b),
    CASE WHEN EXISTS (SELECT 1 FROM nicknames WHERE nicknames.a = $1 AND nicknames.b = $2) THEN 0.93 END,
    CASE WHEN length(a) = 1 OR length(b) = 1 THEN CASE WHEN left(a, 1) = left(b, 1) THEN 0.8 ELSE 0 END END) END $f$;
CREATE FUNCTION date_likeness(a date, b date) RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $f$
  SELECT CASE WHEN a IS NULL OR b IS NULL THEN 0.5 WHEN a = b THEN 1 WHEN abs(a - b) <= 1 THEN 0.9
    WHEN extract(year FROM a) = extract(year FROM b) AND extract(month FROM a) = extract(day FROM b)
      AND extract(day FROM a) = extract(month FROM b) THEN 0.9
    WHEN extract(day FROM a) = extract(day FROM b) AND extract(month FROM a) = extract(month FROM b) THEN 0.8
    WHEN levenshtein(to_char(a, 'YYYYMMDD'), to_char(b, 'YYYYMMDD')) = 1 THEN 0.8
    WHEN extract(year FROM a) = extract(year FROM b) THEN 0.4 WHEN abs(a - b) < 731 THEN 0.25 ELSE 0 END::float8 $f$;

CREATE FUNCTION search(given text, surname text, mid text, day date, in_year int, wide bool)
RETURNS TABLE (person int, score float8) LANGUAGE plpgsql STABLE AS $f$
DECLARE
  days date[] := '{}'; since date := '1900-01-01'; until date := '2100-01-01'; by_trigram bool := wide;
  given_sound text := dmetaphone(given); swapped_last text := dmetaphone(given);
  swapped_first text := dmetaphone(replace(surname, ' ', '')); surname_sounds text[];
BEGIN
  SELECT array_agg(DISTINCT dmetaphone(word)) INTO surname_sounds
    FROM unnest(string_to_array(surname, ' ') || replace(surname, ' ', '')) word WHERE length(word) > 1;
  IF day IS NOT NULL THEN
    days := ARRAY[day, day - 1, day + 1, (day + interval '1 year')::date, (day - interval '1 year')::date,
                  (day + interval '10 years')::date, (day - interval '10 years')::date];
    IF extract(day FROM day) <= 12 THEN
      days := days || make_date(extract(year FROM day)::int, extract(day FROM day)::int, extract(month FROM day)::int);
    END IF;
    since := day - 731; until := day + 731;
  ELSIF in_year IS NOT NULL THEN
    since := make_date(in_year - 2, 1, 1); until := make_date(in_year + 2, 12, 31); by_trigram := true;
  ELSE
    by_trigram := true;
  END IF;
  RETURN QUERY WITH places AS MATERIALIZED (
      SELECT n.ctid place FROM names n WHERE n.born = ANY (days)
      UNION SELECT s.place FROM sounds s
        WHERE s.last_sound = ANY (surname_sounds) AND s.first_sound = given_sound AND s.born BETWEEN since AND until
      UNION SELECT s.place FROM sounds s
        WHERE s.last_sound = swapped_last AND s.first_sound = swapped_first AND s.born BETWEEN since AND until
      UNION SELECT n.ctid FROM names n
        WHERE by_trigram AND n.whole % (given || ' ' || surname) AND (wide OR n.born BETWEEN since AND until)),
    found AS (SELECT n.* FROM places JOIN names n ON n.ctid = places.place),
    scored AS (SELECT n.person p,
        greatest(0.5 * surname_likeness(n.last, surname) + 0.5 * given_likeness(n.first, given),
                 0.93 * (0.5 * surname_likeness(n.last, given) + 0.5 * given_likeness(n.first, surname))) name,
        CASE WHEN day IS NULL THEN
          CASE WHEN in_year IS NULL THEN 0.5 ELSE 1 - 0.05 * abs(extract(year FROM n.born) - in_year) END
        ELSE date_likeness(n.born, day) END date,
        CASE WHEN mid = '' OR n.middle = '' THEN 0 WHEN mid = n.middle THEN 0.03
          WHEN left(mid, 1) = left(n.middle, 1) AND (length(mid) = 1 OR length(n.middle) = 1) THEN 0.02
          ELSE -0.03 END middle
      FROM found n)
    SELECT p, (0.65 * scored.name + 0.35 * scored.date + scored.middle)::float8 FROM scored
      WHERE scored.name > 0.55 ORDER BY 2 DESC LIMIT 20;
END $f$;

VACUUM ANALYZE names;
ANALYZE sounds;
ANALYZE nicknames;
