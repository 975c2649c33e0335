// What tests use of js-yaml, which brings no types of its own.
declare module 'js-yaml' {
  export function load(text: string): unknown;
}
