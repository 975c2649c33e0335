// Types for modules the page uses whose packages have none.
declare module '@novnc/novnc' {
  /** The part of noVNC's RFB that the console uses. */
  class RFB extends EventTarget {
    constructor(target: HTMLElement, channel: unknown, options?: { shared?: boolean });
    scaleViewport: boolean;
    resizeSession: boolean;
    viewOnly: boolean;
    background: string;
    focusOnClick: boolean;
    qualityLevel: number;
    disconnect(): void;
    focus(): void;
    blur(): void;
    sendCtrlAltDel(): void;
    sendKey(keysym: number, code: string | null, down?: boolean): void;
  }

  // biome-ignore lint/style/noDefaultExport: noVNC's own form, it exports nothing else
  export { RFB as default };
}
