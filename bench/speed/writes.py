"""The yardstick's writes, one statement each: the work on the tree alone (node, closure, positions, counts).

Nothing of what Grove does beside it: no versions, no log of changes, no idempotency keys, no locks, no check for
circles or levels.
"""

# What PostgreSQL has no function for: a text key behind one, or between two, as Grove keeps the order of siblings.
HELPERS = r"""
CREATE SEQUENCE IF NOT EXISTS bench_keys START 288230376151711744;

CREATE OR REPLACE FUNCTION bench_key_behind(last text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    digits CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    length CONSTANT int := ascii(last) - ascii('a') + 1;
    key text := substr(last, 2, length);
    place int := length;
BEGIN
    IF last IS NULL THEN
        RETURN 'a0';
    END IF;
    WHILE place > 0 AND substr(key, place, 1) = 'z' LOOP
        place := place - 1;
    END LOOP;
    IF place = 0 THEN
        RETURN chr(ascii(last) + 1) || repeat('0', length + 1);
    END IF;
    RETURN left(last, 1) || left(key, place - 1)
        || substr(digits, strpos(digits, substr(key, place, 1)) + 1, 1) || repeat('0', length - place);
END $$;

CREATE OR REPLACE FUNCTION bench_key_between(low text, high text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    digits CONSTANT text := '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
    place int := 1;
    below int;
    above int;
BEGIN
    LOOP
        below := greatest(strpos(digits, substr(low, place, 1)) - 1, 0);
        IF substr(low, place, 1) = '' THEN below := 0; END IF;
        above := CASE WHEN high IS NULL THEN 62 ELSE strpos(digits, substr(high, place, 1)) - 1 END;
        IF above - below > 1 THEN
            RETURN left(rpad(low, place - 1, '0'), place - 1) || substr(digits, (below + above) / 2 + 1, 1);
        END IF;
        IF above > below THEN
            high := NULL;
        END IF;
        place := place + 1;
    END LOOP;
END $$;
"""

CREATE = """
    WITH parent AS (
        SELECT node.id, node.hierarchy_id, node.depth + 1 AS depth, bench_key_behind((
            SELECT sibling.position FROM node AS sibling
            WHERE COALESCE(sibling.parent_id, -sibling.hierarchy_id) = node.id
            ORDER BY sibling.position DESC LIMIT 1
        )) AS position
        FROM node WHERE node.id = $1
    ),
    made AS (
        INSERT INTO customer_group (
            id, code, code_key, code_fold, name, name_key, name_fold, description, search_fold, status,
            customer_count, version, created_at, updated_at
        )
        SELECT new.id, new.code, lower(new.code), lower(new.code), $2, lower($2), lower($2), '',
            lower(new.code) || E'\\n' || lower($2) || E'\\n', 'ACTIVE', 0, 1, now(), now()
        FROM (
            SELECT nextval('bench_keys') AS id, 'CG-' || lpad(nextval('customer_group_code')::text, 6, '0') AS code
        ) AS new
        RETURNING id, name, code
    ),
    placed AS (
        INSERT INTO node (id, hierarchy_id, group_id, parent_id, position, depth)
        SELECT nextval('bench_keys'), parent.hierarchy_id, made.id, parent.id, parent.position, parent.depth
        FROM parent, made
        RETURNING id, depth, hierarchy_id
    ),
    paired AS (
        INSERT INTO closure (ancestor_id, descendant_id, distance)
        SELECT up.ancestor_id, placed.id, up.distance + 1
        FROM placed, closure AS up WHERE up.descendant_id = $1
        UNION ALL
        SELECT placed.id, placed.id, 0 FROM placed
    ),
    counted AS (
        UPDATE node SET descendant_count = descendant_count + 1,
            child_count = child_count + CASE WHEN node.id = $1 THEN 1 ELSE 0 END
        FROM closure AS up WHERE up.descendant_id = $1 AND node.id = up.ancestor_id
    ),
    levelled AS (
        UPDATE level SET node_count = node_count + 1 FROM placed
        WHERE level.hierarchy_id = placed.hierarchy_id AND level.depth = placed.depth
    )
    SELECT json_build_object(
        'group', json_build_object('id', made.id, 'code', made.code, 'name', made.name),
        'node', json_build_object('id', placed.id, 'depth', placed.depth)
    )
    FROM made, placed
"""

REORDER = """
    WITH beside AS (
        SELECT node.position AS low, (
            SELECT sibling.position FROM node AS sibling
            WHERE COALESCE(sibling.parent_id, -sibling.hierarchy_id) = COALESCE(node.parent_id, -node.hierarchy_id)
              AND sibling.position > node.position AND sibling.id <> $1
            ORDER BY sibling.position LIMIT 1
        ) AS high
        FROM node WHERE node.id = $2
    )
    UPDATE node SET position = bench_key_between(beside.low, beside.high) FROM beside WHERE node.id = $1
    RETURNING json_build_object('node', json_build_object('id', node.id, 'depth', node.depth))
"""

_MOVE = """
    WITH top AS (
        SELECT node.id, node.parent_id, node.depth, 1 + node.descendant_count AS size,
            target.depth + 1 AS new_depth, bench_key_behind((
                SELECT sibling.position FROM node AS sibling
                WHERE COALESCE(sibling.parent_id, -sibling.hierarchy_id) = target.id
                ORDER BY sibling.position DESC LIMIT 1
            )) AS position
        FROM node, node AS target WHERE node.id = $1 AND target.id = $2
    ),
    cut AS (
        DELETE FROM closure USING closure AS up, closure AS down
        WHERE up.descendant_id = $1 AND up.distance > 0 AND down.ancestor_id = $1
          AND closure.ancestor_id = up.ancestor_id AND closure.descendant_id = down.descendant_id {kept}
        RETURNING 1
    ),
    grafted AS (
        INSERT INTO closure (ancestor_id, descendant_id, distance)
        SELECT up.ancestor_id, down.descendant_id, up.distance + 1 + down.distance
        FROM closure AS up, closure AS down
        -- Not before all that is cut has been cut.
        WHERE (SELECT count(*) FROM cut) >= 0 AND up.descendant_id = $2 AND down.ancestor_id = $1 {stayed}
    ),
    above AS (
        -- What both places are below gains and loses alike.
        SELECT ancestor_id AS id, sum(sign) AS sign FROM (
            SELECT ancestor_id, -1 AS sign FROM closure WHERE descendant_id = $1 AND distance > 0
            UNION ALL
            SELECT ancestor_id, 1 FROM closure WHERE descendant_id = $2
        ) AS both_places
        GROUP BY ancestor_id HAVING sum(sign) <> 0
    ),
    counted AS (
        UPDATE node SET descendant_count = node.descendant_count + above.sign * top.size,
            child_count = node.child_count + CASE WHEN node.id IN ($2, top.parent_id) THEN above.sign ELSE 0 END
        FROM above, top WHERE node.id = above.id
    ),
    sunk AS (
        UPDATE node SET depth = node.depth + top.new_depth - top.depth
        FROM top, closure AS down
        WHERE top.new_depth <> top.depth AND down.ancestor_id = $1 AND down.distance > 0
          AND node.id = down.descendant_id
    )
    UPDATE node SET parent_id = $2, position = top.position, depth = top.new_depth FROM top WHERE node.id = top.id
    RETURNING json_build_object('node', json_build_object('id', node.id, 'depth', node.depth))
"""

# As every book has it: out from under all old ancestors, in under all new ones.
MOVE = _MOVE.format(kept="", stayed="")

# For information: pairs with an ancestor of both places at the same distance stay, as they do in Grove.
MOVE_SHARING = _MOVE.format(
    kept="""
          AND NOT EXISTS (
              SELECT 1 FROM closure AS kept WHERE kept.ancestor_id = up.ancestor_id AND kept.descendant_id = $2
                AND kept.distance + 1 = up.distance
          )
    """,
    stayed="""
          AND NOT EXISTS (
              SELECT 1 FROM closure AS kept WHERE kept.ancestor_id = up.ancestor_id AND kept.descendant_id = $1
                AND kept.distance = up.distance + 1
          )
    """,
)
