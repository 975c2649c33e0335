// `npm run build`: services, shells and renderer into dist/.
import { buildAll } from '../build-all.ts';

await buildAll({ always: true });
