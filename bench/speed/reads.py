"""The yardstick's reads: each the best single statement that was found for its work, and the arguments it takes.

Each answers with JSON text in the form of Grove's `data`, but for ids, which are plain keys. The plans stand in
results/yardstick-plans.txt.
"""

ANCESTORS = """
    SELECT json_build_object(
        'id', node.id, 'group', json_build_object('name', customer_group.name),
        'level', json_build_object('name', level.name),
        'ancestors', COALESCE((
            SELECT json_agg(json_build_object(
                'id', above.id, 'group', json_build_object('name', above_group.name),
                'level', json_build_object('name', above_level.name)
            ) ORDER BY up.distance DESC)
            FROM closure AS up
            JOIN node AS above ON above.id = up.ancestor_id
            JOIN customer_group AS above_group ON above_group.id = above.group_id
            JOIN level AS above_level
                ON above_level.hierarchy_id = above.hierarchy_id AND above_level.depth = above.depth
            WHERE up.descendant_id = $1 AND up.distance > 0
        ), '[]')
    )
    FROM node
    JOIN customer_group ON customer_group.id = node.group_id
    JOIN level ON level.hierarchy_id = node.hierarchy_id AND level.depth = node.depth
    WHERE node.id = $1
"""

CHILDREN = """
    SELECT json_build_object('children', json_build_object('nodes', COALESCE(json_agg(json_build_object(
        'id', child.id, 'childCount', child.child_count, 'group', json_build_object(
            'name', child.name, 'code', child.code, 'customerCount', child.customer_count
        )
    ) ORDER BY child.position), '[]')))
    FROM (
        SELECT node.id, node.child_count, node.position,
            customer_group.name, customer_group.code, customer_group.customer_count
        FROM node JOIN customer_group ON customer_group.id = node.group_id
        WHERE COALESCE(node.parent_id, -node.hierarchy_id) = $1
        ORDER BY node.position LIMIT 50
    ) AS child
"""

_LEVEL = """
    SELECT json_agg(json_build_object(
        'id', {me}.id, 'group', json_build_object('name', {me}.name), 'level', json_build_object('name', {me}.level)
        {children}
    ) ORDER BY {me}.position)
    FROM (
        SELECT node.id, node.position, customer_group.name, level.name AS level
        FROM node
        JOIN customer_group ON customer_group.id = node.group_id
        JOIN level ON level.hierarchy_id = node.hierarchy_id AND level.depth = node.depth
        WHERE COALESCE(node.parent_id, -node.hierarchy_id) = {above}
        ORDER BY node.position LIMIT 10
    ) AS {me}
"""
_THIRD = _LEVEL.format(me="third", above="second.id", children="")
_SECOND = _LEVEL.format(
    me="second",
    above="first.id",
    children=f", 'children', json_build_object('nodes', COALESCE(({_THIRD}), '[]'))",
)
_FIRST = _LEVEL.format(
    me="first", above="$1", children=f", 'children', json_build_object('nodes', COALESCE(({_SECOND}), '[]'))"
)
NESTED = f"SELECT json_build_object('children', json_build_object('nodes', COALESCE(({_FIRST}), '[]')))"

DESCENDANTS = """
    -- $2: the path of positions of the row to go on behind, '' for the first page. A path ends each of its positions
    -- with a blank, which stands before all letters, so that bytes compare as the display order has it.
    WITH RECURSIVE walk AS (
        SELECT node.id, node.group_id, node.depth, node.child_count, node.position || ' ' AS path
        FROM node WHERE COALESCE(node.parent_id, -node.hierarchy_id) = $1
        UNION ALL
        SELECT node.id, node.group_id, node.depth, node.child_count, walk.path || node.position || ' '
        FROM walk JOIN node ON COALESCE(node.parent_id, -node.hierarchy_id) = walk.id
        WHERE walk.child_count > 0
    ),
    page AS (
        SELECT walk.id, walk.group_id, walk.depth, walk.path FROM walk
        WHERE walk.path > $2 COLLATE "C" ORDER BY walk.path LIMIT 1000
    )
    SELECT json_build_object('descendants', json_build_object(
        'totalCount', (SELECT node.descendant_count FROM node WHERE node.id = $1),
        'nodes', (
            SELECT COALESCE(json_agg(json_build_object(
                'id', page.id, 'group', json_build_object('name', customer_group.name), 'depth', page.depth
            ) ORDER BY page.path), '[]')
            FROM page JOIN customer_group ON customer_group.id = page.group_id
        )
    ))
"""

CUSTOMERS = """
    WITH below AS MATERIALIZED (
        SELECT DISTINCT membership.customer_id AS id
        FROM closure
        JOIN node ON node.id = closure.descendant_id
        JOIN membership ON membership.group_id = node.group_id
        WHERE closure.ancestor_id = $1
    ),
    page AS (
        SELECT customer.id, customer.code, customer.name, customer.code_fold
        FROM below JOIN customer ON customer.id = below.id
        ORDER BY customer.code_fold, customer.id LIMIT 100
    )
    SELECT json_build_object('customers', json_build_object(
        'totalCount', (SELECT count(*) FROM below),
        'nodes', (
            SELECT COALESCE(json_agg(
                json_build_object('code', page.code, 'name', page.name) ORDER BY page.code_fold, page.id
            ), '[]') FROM page
        )
    ))
"""

CUSTOMER = """
    SELECT json_build_object(
        'id', customer.id, 'name', customer.name,
        'groups', json_build_object('nodes', COALESCE((
            SELECT json_agg(
                json_build_object('id', customer_group.id, 'name', customer_group.name)
                ORDER BY customer_group.name_fold, customer_group.id
            )
            FROM membership JOIN customer_group ON customer_group.id = membership.group_id
            WHERE membership.customer_id = customer.id
        ), '[]')),
        'nodes', COALESCE((
            SELECT json_agg(
                json_build_object(
                    'id', node.id, 'hierarchy', json_build_object('name', hierarchy.name),
                    'path', (
                        SELECT json_agg(customer_group.name ORDER BY up.distance DESC)
                        FROM closure AS up
                        JOIN node AS above ON above.id = up.ancestor_id
                        JOIN customer_group ON customer_group.id = above.group_id
                        WHERE up.descendant_id = node.id
                    )
                ) ORDER BY hierarchy.name_fold, hierarchy.id, node.depth, node.id
            )
            FROM membership
            JOIN node ON node.group_id = membership.group_id
            JOIN hierarchy ON hierarchy.id = node.hierarchy_id
            WHERE membership.customer_id = customer.id
        ), '[]')
    )
    FROM customer WHERE customer.code_key = $1
"""
