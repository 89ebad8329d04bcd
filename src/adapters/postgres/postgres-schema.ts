/**
 * The tables and functions of a log. One row of the log: its generation, the life of the topics that were never written,
 * and what tells that the server may have lost what it acknowledged. A row per topic is its sequencer; the entries have
 * the bytes before them, and when they came.
 *
 * An epoch is a life and the generation, so that all epochs end at once when entries may have been lost; offsets and
 * entries go on. Topics are born, dropped and forgotten one at a time, under a lock.
 */
export function schema(name: string): string {
  return `
CREATE TABLE IF NOT EXISTS ${name} (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  generation text NOT NULL, unborn text NOT NULL, server text NOT NULL
);
CREATE TABLE IF NOT EXISTS ${name}_topics (
  topic text PRIMARY KEY, id bigint GENERATED ALWAYS AS IDENTITY UNIQUE, life text NOT NULL,
  last bigint NOT NULL, total bigint NOT NULL, written timestamptz NOT NULL
) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS ${name}_entries (
  topic_id bigint, place bigint, entry text NOT NULL, before bigint NOT NULL, came timestamptz NOT NULL,
  PRIMARY KEY (topic_id, place)
);

-- Forgets topics: locked by whoever calls it.
CREATE OR REPLACE FUNCTION ${name}_forget_v1(names text[], fresh text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  WITH gone AS (DELETE FROM ${name}_topics WHERE topic = ANY (names) RETURNING id)
    DELETE FROM ${name}_entries USING gone WHERE topic_id = gone.id;
  IF cardinality(names) > 0 THEN UPDATE ${name} SET unborn = fresh; END IF;
END $$;

CREATE OR REPLACE FUNCTION ${name}_drop_v1(named text, fresh text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_advisory_xact_lock(19539, hashtext('${name}'));
  IF NOT EXISTS (SELECT FROM ${name}_topics WHERE topic = named) THEN RETURN; END IF;
  PERFORM ${name}_forget_v1(ARRAY[named], fresh);
  PERFORM pg_notify('${name}_' || md5(named), '');
END $$;

CREATE OR REPLACE FUNCTION ${name}_append_v1(
  named text, fresh text, texts text[], max_count bigint, max_bytes bigint, age interval, slack interval,
  max_topics bigint, idle interval, OUT epoch text, OUT last bigint
) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  t ${name}_topics;
  n bigint := cardinality(texts);
  size bigint := (SELECT sum(octet_length(one)) FROM unnest(texts) one);
  moment timestamptz;
  kept bigint;
BEGIN
  UPDATE ${name}_topics SET last = last + n, total = total + size, written = clock_timestamp()
    WHERE topic = named RETURNING * INTO t;
  IF NOT FOUND THEN
    PERFORM pg_advisory_xact_lock(19539, hashtext('${name}'));
    PERFORM ${name}_forget_v1(ARRAY(
      SELECT topic FROM (SELECT topic, written, row_number() OVER (ORDER BY written DESC) AS nth FROM ${name}_topics) each
        WHERE nth >= max_topics OR written < clock_timestamp() - idle
    ), fresh);
    INSERT INTO ${name}_topics (topic, life, last, total, written)
      SELECT named, unborn, n, size, clock_timestamp() FROM ${name}
      ON CONFLICT (topic) DO UPDATE SET
        last = ${name}_topics.last + n, total = ${name}_topics.total + size, written = clock_timestamp()
      RETURNING * INTO t;
  END IF;
  moment := clock_timestamp();
  INSERT INTO ${name}_entries
    SELECT t.id, t.last - n + nth, one, t.total - size + coalesce(sum(octet_length(one)) OVER (
      ORDER BY nth ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0), moment
    FROM unnest(texts) WITH ORDINALITY AS each (one, nth);
  -- The oldest to be kept: what no longer fits stays a little, for tails that are about to read it.
  SELECT place INTO kept FROM ${name}_entries
    WHERE topic_id = t.id AND (came > moment - slack OR (
      place > t.last - max_count AND t.total - before <= max_bytes AND (age IS NULL OR came > moment - age)))
    ORDER BY place LIMIT 1;
  DELETE FROM ${name}_entries WHERE topic_id = t.id AND place < coalesce(kept, t.last + 1);
  PERFORM pg_notify('${name}_' || md5(named), '');
  SELECT t.life || '.' || generation, t.last INTO epoch, last FROM ${name};
END $$;

-- Behind a place, or, without an epoch, the last ones; within the bounds, or, live, whatever is there.
CREATE OR REPLACE FUNCTION ${name}_read_v1(
  named text, wanted text, behind bigint, most bigint, live boolean, max_count bigint, max_bytes bigint, age interval,
  OUT status text, OUT epoch text, OUT ending bigint, OUT entries text
) LANGUAGE plpgsql STABLE AS $$
#variable_conflict use_column
DECLARE
  t ${name}_topics;
  first bigint;
  found_count bigint;
BEGIN
  SELECT * INTO t FROM ${name}_topics WHERE topic = named;
  SELECT coalesce(t.life, unborn) || '.' || generation INTO epoch FROM ${name};
  t.last := coalesce(t.last, 0);
  SELECT place INTO first FROM ${name}_entries
    WHERE topic_id = t.id AND (live OR (place > t.last - max_count AND t.total - before <= max_bytes))
      AND (age IS NULL OR live OR came > clock_timestamp() - age)
    ORDER BY place LIMIT 1;
  first := coalesce(first, t.last + 1);
  status := 'resumed';
  IF wanted IS NULL THEN first := greatest(first, t.last - most + 1);
  ELSIF wanted <> epoch OR behind > t.last THEN status := 'reset';
  ELSIF behind + 1 < first THEN status := 'gap';
  ELSE first := behind + 1;
  END IF;
  SELECT count(*), string_agg(entry, ',' ORDER BY place) INTO found_count, entries FROM (
    SELECT entry, place FROM ${name}_entries WHERE topic_id = t.id AND place >= first ORDER BY place LIMIT most) each;
  ending := first + found_count - 1;
END $$;
`;
}
