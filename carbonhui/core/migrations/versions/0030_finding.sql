-- Finding shops and offers by their words, and near a place, without reading all of them (Articles 18, 20); when a charge was made.

-- Every two letters that follow one another in a text, as numbers, so that no collation has a say in them. What
-- contains a text contains its pairs: Chinese has no spaces between words, and two letters are a word of it.
CREATE FUNCTION letter_pairs(p_text text) RETURNS bigint[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(DISTINCT ascii(substr(t, n, 1))::bigint << 21 | ascii(substr(t, n + 1, 1))), '{}')
    FROM lower(p_text) AS t, generate_series(1, length(t) - 1) AS n
$$;

-- Of all rows: of an index of some rows only the planner takes no statistics, and reads all shops with a usual word.
CREATE INDEX shop_words ON shop USING gin (letter_pairs(name || ' ' || address));
CREATE INDEX offer_words ON offer USING gin (letter_pairs(title_zh || ' ' || coalesce(title_en, '')));

-- A charge was made when its transaction began: never after it was authorised.
ALTER TABLE charge ALTER at SET DEFAULT now();

-- Without STRICT, for a strict function whose body is not is called for every row instead of being written into the query.
CREATE OR REPLACE FUNCTION metres_between(p_lat_a integer, p_lon_a integer, p_lat_b integer, p_lon_b integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT floor(2 * 6371008.8 * asin(least(1, sqrt(
        sind((p_lat_b - p_lat_a) / 2e6::float8) ^ 2
        + cosd(p_lat_a / 1e6::float8) * cosd(p_lat_b / 1e6::float8) * sind((p_lon_b - p_lon_a) / 2e6::float8) ^ 2))))::integer
$$;
