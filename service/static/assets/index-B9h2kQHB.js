import{a as e,d as t,f as n,fr as r,i,n as a,o,pr as s,r as c,t as l,u}from"./graphiql-Bi4TFfk9.js";var d=`# The whole tree of the hierarchy «Sales»: divisions,
# their states, the distributors in each state.
# Other tabs ask for ids: they are the ones found here.
query TheTree {
  hierarchy(by: { name: "Sales" }) {
    id
    version
    nodeCount
    levels {
      depth
      name
      nodeCount
    }
    roots(first: 10) {
      nodes {
        ...Place
        children(first: 20) {
          nodes {
            ...Place
            children(first: 20) {
              nodes {
                ...Place
              }
            }
          }
        }
      }
    }
  }
}

fragment Place on HierarchyNode {
  id
  index
  group {
    name
    description
  }
  childCount
  customerCount
}
`,f=`# One group, by name: where it stands in each hierarchy,
# what is above it, and the customers it has.
query OneGroup($name: String!) {
  customerGroup(by: { name: $name }) {
    id
    code
    name
    description
    status
    version
    nodes {
      id
      hierarchy {
        name
      }
      level {
        name
      }
      path
      index
      ancestors {
        id
        group {
          name
          description
        }
      }
      # Here and in the groups below it; each customer once.
      customerCount(scope: SUBTREE)
    }
    customers(first: 20, orderBy: { field: NAME }) {
      totalCount
      nodes {
        code
        name
        type
      }
    }
  }
}
`,p=`# The active groups that do not stand in the hierarchy
# «Sales»: these may be assigned.
query Unassigned {
  hierarchy(by: { name: "Sales" }) {
    id
    unassignedGroups(first: 50, filter: { status: ACTIVE }, orderBy: { field: NAME }) {
      totalCount
      nodes {
        id
        code
        name
        description
        customerCount
      }
    }
  }
}
`,m=`# Creates a group. It is unassigned at first; with
#   "place": { "hierarchyId": "…", "parentId": "…" }
# in the input, it is put into the tree in the same step.
#
# With "dryRun": true it shows the result and keeps nothing;
# set it to false to create the group.
mutation CreateGroup($input: CreateCustomerGroupInput!) {
  createCustomerGroup(input: $input) {
    group {
      id
      code
      name
      description
      status
    }
    node {
      id
      path
      index
    }
    userErrors {
      code
      message
      path
    }
  }
}
`,h=`# Assigns a group: puts it into the tree, below a parent.
# Put in the two ids: that of the hierarchy «Sales» and that
# of the node FL, both from the tab TheTree. Create the group
# first (CreateGroup without the dry run), or name another
# one from Unassigned.
#
# With "dryRun": true it shows the result and keeps nothing;
# set it to false to assign the group.
mutation AssignGroup($input: AssignGroupInput!) {
  assignGroup(input: $input) {
    node {
      id
      path
      index
      level {
        name
      }
    }
    hierarchy {
      version
      nodeCount
    }
    userErrors {
      code
      message
      path
    }
  }
}
`,g=`# Moves a node with everything below it: here IL, with its
# distributors, from East to West, as the first state there.
# Put in the ids of the nodes IL and West, from the tab TheTree.
# Without "parentId" it stays under its parent and only changes
# its position; with "parentId": null it becomes a root.
#
# With "dryRun": true it shows the result and keeps nothing;
# set it to false to move the node.
mutation MoveNode($input: MoveNodeInput!) {
  moveNode(input: $input) {
    node {
      id
      path
      index
      descendantCount
      parent {
        group {
          name
        }
        childCount
      }
    }
    previousParent {
      group {
        name
      }
      childCount
    }
    hierarchy {
      version
    }
    userErrors {
      code
      message
      path
    }
  }
}
`,_=`# Who changed what, newest first. For the next page, copy
# "endCursor" into the variable "after". To see certain changes
# only, set "filter", such as { "action": ["NODE_MOVED"] }.
query History($filter: ChangeFilter, $first: Int = 20, $after: String) {
  changes(filter: $filter, first: $first, after: $after) {
    totalCount
    nodes {
      at
      actor
      action
      summary
      hierarchy {
        name
      }
      group {
        name
      }
      before
      after
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
`,v=`{
  "name": "FL"
}
`,y=`{
  "input": {
    "name": "Gulf Coast Wine & Beer",
    "description": "Distributor in Florida",
    "dryRun": true
  }
}
`,b=`{
  "input": {
    "hierarchyId": "<id of the hierarchy Sales>",
    "group": { "name": "Gulf Coast Wine & Beer" },
    "parentId": "<id of the node FL>",
    "position": { "last": true },
    "dryRun": true
  }
}
`,x=`{
  "input": {
    "nodeId": "<id of the node IL>",
    "parentId": "<id of the node West>",
    "position": { "first": true },
    "dryRun": true
  }
}
`,S=`{
  "filter": null,
  "first": 20,
  "after": null
}
`,C=s();t();var w={json:a,graphql:l};globalThis.MonacoEnvironment={getWorker:(e,t)=>new(w[t]??c)};var T=r(),E=Object.assign({"./operations/1-tree.graphql":d,"./operations/2-group.graphql":f,"./operations/3-unassigned.graphql":p,"./operations/4-create.graphql":m,"./operations/5-assign.graphql":h,"./operations/6-move.graphql":g,"./operations/7-history.graphql":_}),D=Object.assign({"./operations/2-group.json":v,"./operations/4-create.json":y,"./operations/5-assign.json":b,"./operations/6-move.json":x,"./operations/7-history.json":S}),O=Object.keys(E).sort().map(e=>({query:E[e],variables:D[e.replace(`.graphql`,`.json`)]})),k=u({url:location.pathname,headers:{accept:`application/graphql-response+json, application/json`},enableIncrementalDelivery:!1}),A=n({oneOf:!0,inputValueDeprecation:!0,schemaDescription:!0});function j(e,t){return k(e.operationName===`IntrospectionQuery`?{...e,query:A}:e,t)}var M=[i(),o];(0,C.createRoot)(document.getElementById(`explorer`)).render((0,T.jsx)(e,{fetcher:j,defaultTabs:O,plugins:M,defaultEditorToolsVisibility:`variables`,children:(0,T.jsx)(e.Logo,{children:`Grove`})}));