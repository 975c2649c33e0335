// Entry of the page. zod is configured first, without its compiled fast path, which would probe `new
// Function` and violate the CSP.
import './zod-jitless.ts';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import 'uplot/dist/uPlot.min.css';
import './tokens.css';
import './styles/base.css';
import './styles/shell.css';
import './styles/pages.css';
import './styles/memory.css';
import './styles/history.css';
import './styles/dialogs.css';
import './styles/disks.css';
import './styles/activity.css';
import './styles/schedule.css';
import './styles/help.css';
import './styles/setup.css';
import './styles/policy.css';
import { App } from './App.tsx';
import { keepConnected } from './api/connection.ts';
import { followRequests } from './api/requests.ts';
import { applyPreferences } from './state/preferences.ts';

applyPreferences();
const root = document.getElementById('root');
if (root === null) throw new Error('the page has no #root');
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
void keepConnected();
followRequests();
