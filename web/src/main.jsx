import { createRoot } from 'react-dom/client';
import { GraphiQL, HISTORY_PLUGIN } from 'graphiql';
import { explorerPlugin } from '@graphiql/plugin-explorer';
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { getIntrospectionQuery } from 'graphql';

import './workers.js';
// The parts of graphiql/style.css, without its second copy of monaco's styles and its 360 KB of fonts.
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import '@graphiql/plugin-history/style.css';
import '@graphiql/plugin-explorer/style.css';
import 'graphiql/graphiql.css';
import './explorer.css';

// One tab for each operation, in the order of the file names.
const queries = import.meta.glob('./operations/*.graphql', { query: '?raw', import: 'default', eager: true });
const variables = import.meta.glob('./operations/*.json', { query: '?raw', import: 'default', eager: true });
const tabs = Object.keys(queries)
  .sort()
  .map((file) => ({ query: queries[file], variables: variables[file.replace('.graphql', '.json')] }));

const send = createGraphiQLFetcher({
  // The page's own path, so that it also works behind a proxy that adds a prefix.
  url: location.pathname,
  headers: { accept: 'application/graphql-response+json, application/json' },
  enableIncrementalDelivery: false,
});

// GraphiQL's own introspection does not ask which inputs are @oneOf; the editor checks them only if it knows.
const introspection = getIntrospectionQuery({ oneOf: true, inputValueDeprecation: true, schemaDescription: true });

function fetcher(request, init) {
  return send(request.operationName === 'IntrospectionQuery' ? { ...request, query: introspection } : request, init);
}

const plugins = [explorerPlugin(), HISTORY_PLUGIN];

createRoot(document.getElementById('explorer')).render(
  <GraphiQL fetcher={fetcher} defaultTabs={tabs} plugins={plugins} defaultEditorToolsVisibility="variables">
    <GraphiQL.Logo>Grove</GraphiQL.Logo>
  </GraphiQL>,
);
