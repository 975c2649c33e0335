// Imported before anything that makes a schema (see main.tsx).
import * as z from 'zod';

z.config({ jitless: true });
