// Turns off zod's compiled fast path; imported before any module that makes a schema (see main.tsx).
import * as z from 'zod';

z.config({ jitless: true });
