// Computes the place of everything on the timeline. Pure. Time runs left to right, Now is at the right end of
// the top lane; branches drop below it, each with its own lane and colour; long gaps are compressed and
// marked; a node's size is its bytes. Iterative: a tree may hold 5,000 moments in one line (T15).
import type { Moment, Timeline } from '../../shared/timeline.ts';
import { MIB } from '../../shared/units.ts';
import { dayKey } from './format.ts';

export const NOW = 'now';
/** Hues of branches: colours of tokens.css other than the main line's tide. */
export const BRANCH_HUES: readonly number[] = [4, 2, 3, 8, 1, 7, 5];

export interface TimelineNode {
  readonly id: string;
  /** Null for Now. */
  readonly moment: Moment | null;
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly lane: number;
  /** 0: the main line; else the number of a VM hue in tokens.css. */
  readonly hue: number;
  readonly label: Label | null;
}
/** Where a name stands: `y` is its baseline, `anchor` tells which part of it is at `x`. */
export interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly anchor: 'middle' | 'start';
}
export interface TimelineEdge {
  readonly from: string;
  readonly to: string;
  readonly path: string;
  readonly hue: number;
}
export interface TimelineLayout {
  readonly width: number;
  readonly height: number;
  readonly nodes: readonly TimelineNode[];
  readonly edges: readonly TimelineEdge[];
  readonly days: readonly { readonly x: number; readonly at: number }[];
  readonly gaps: readonly { readonly x: number; readonly ms: number }[];
}

export interface TimelineView {
  readonly now: number;
  readonly width: number;
  /** Factor on the widths that fit by themselves; 1 when left out. */
  readonly zoom?: number;
}

const LANE_TOP = 112;
const LANE_HEIGHT = 54;
const FOOT = 54;
const LEFT = 34;
const RIGHT = 74;
const STEP_FLOOR = 36;
/** Steps are stretched no further: a few points stay near Now rather than spread over the whole width. */
const STRETCH_MAX = 4.5;
const STEP_MIN = 44;
const STEP_MAX = 132;
const HOUR_MS = 3_600_000;
/** From this length on, a gap in time is drawn with a break. */
const GAP_MS = 60 * HOUR_MS;
/** The rough width of a label's letter at 11 px. */
const LETTER = 6.3;
const LABEL_LETTERS_MAX = 26;
/** Baselines of labels above a node of the main line; the lowest is where a pin stands. */
const LABEL_ROWS = [12, 26, 40];
/** Baseline of a label below a node of a branch. */
const LABEL_BELOW = 15;

export const nodeRadius = (bytes: number): number =>
  Math.min(11, 4.5 + Math.log2(1 + Math.max(0, bytes) / (48 * MIB)) * 1.15);

/** The width between two neighbouring moments: grows slowly with the time between them. */
export const gapWidth = (ms: number): number =>
  Math.min(STEP_MAX, STEP_MIN + 14 * Math.log2(1 + Math.max(0, ms) / HOUR_MS));

interface Branch {
  readonly moments: Moment[];
  readonly forkId: string | null;
  readonly hue: number;
}

/** The hue depends on the branch's first moment alone, so it stays whatever else comes or goes. */
export function branchHue(id: string): number {
  let hash = 0;
  for (const char of id) hash = (hash * 31 + (char.codePointAt(0) ?? 0)) % 100_003;
  return BRANCH_HUES[hash % BRANCH_HUES.length] ?? 4;
}

/** Now's own line, oldest first. */
export function trunkOf(timeline: Timeline): Moment[] {
  const byId = new Map(timeline.moments.map(moment => [moment.id, moment]));
  const trunk: Moment[] = [];
  const seen = new Set<string>();
  let at = timeline.nowParentId;
  while (at !== null && !seen.has(at)) {
    seen.add(at);
    const moment = byId.get(at);
    if (moment === undefined) break;
    trunk.push(moment);
    at = moment.parentId;
  }
  return trunk.reverse();
}

/** Older branches choose first, so that a new one changes no colour. A hue repeats only when all are used. */
function colourBranches(branches: readonly Branch[]): Branch[] {
  const born = (branch: Branch): number => branch.moments[0]?.takenAt ?? 0;
  const used = new Set<number>();
  const hues = new Map<Branch, number>();
  for (const branch of [...branches].sort((a, b) => born(a) - born(b))) {
    if (used.size === BRANCH_HUES.length) used.clear();
    const wanted = branchHue(branch.moments[0]?.id ?? '');
    const from = BRANCH_HUES.indexOf(wanted);
    const free = BRANCH_HUES.map(
      (_hue, step) => BRANCH_HUES[(from + step) % BRANCH_HUES.length] ?? wanted,
    ).find(other => !used.has(other));
    hues.set(branch, free ?? wanted);
    used.add(free ?? wanted);
  }
  return branches.map(branch => ({ ...branch, hue: hues.get(branch) ?? 0 }));
}

/** All lines but Now's: each begins with a child of a known line and goes on along the oldest children. */
function branchesOf(timeline: Timeline, trunk: readonly Moment[]): Branch[] {
  const children = new Map<string | null, Moment[]>();
  const ids = new Set(timeline.moments.map(moment => moment.id));
  for (const moment of timeline.moments) {
    const parent = moment.parentId !== null && ids.has(moment.parentId) ? moment.parentId : null;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [moment]);
    else siblings.push(moment);
  }
  const taken = new Set(trunk.map(moment => moment.id));
  const branches: Branch[] = [];
  const starts: { moment: Moment; forkId: string | null }[] = [];
  const fork = (forkId: string | null): void => {
    for (const moment of children.get(forkId) ?? [])
      if (!taken.has(moment.id)) starts.push({ moment, forkId });
  };
  fork(null);
  for (const moment of trunk) fork(moment.id);
  for (let start = starts.shift(); start !== undefined; start = starts.shift()) {
    if (taken.has(start.moment.id)) continue;
    const moments: Moment[] = [];
    let next: Moment | undefined = start.moment;
    while (next !== undefined && !taken.has(next.id)) {
      taken.add(next.id);
      moments.push(next);
      next = [...(children.get(next.id) ?? [])].sort((a, b) => a.takenAt - b.takenAt)[0];
    }
    branches.push({ moments, forkId: start.forkId, hue: 0 });
    for (const moment of moments) fork(moment.id);
  }
  return colourBranches(branches);
}

interface Axis {
  readonly xOf: ReadonlyMap<string, number>;
  readonly nowX: number;
  readonly days: TimelineLayout['days'];
  readonly gaps: TimelineLayout['gaps'];
}

/** Fits steps to the room, but keeps each wide enough to be clicked: beyond that the view scrolls. */
export function fitSteps(steps: readonly number[], room: number): number[] {
  const natural = steps.reduce((sum, step) => sum + step, 0);
  if (natural <= 0) return [...steps];
  if (natural <= room) return steps.map(step => step * Math.min(room / natural, STRETCH_MAX));
  const least = STEP_FLOOR * steps.length;
  const share = Math.max(0, (room - least) / (natural - least));
  return steps.map(step => STEP_FLOOR + (step - STEP_FLOOR) * share);
}

function layAxis(moments: readonly Moment[], { now, width: room, zoom = 1 }: TimelineView): Axis {
  const sorted = [...moments].sort((a, b) => a.takenAt - b.takenAt);
  const times = [...sorted.map(moment => moment.takenAt), Math.max(now, sorted.at(-1)?.takenAt ?? now)];
  const steps = times.slice(1).map((time, index) => gapWidth(time - (times[index] ?? time)));
  const widths = fitSteps(steps, room - LEFT - RIGHT).map(step => step * zoom);
  const xOf = new Map<string, number>();
  const days: { x: number; at: number }[] = [];
  const gaps: { x: number; ms: number }[] = [];
  const total = widths.reduce((sum, step) => sum + step, 0);
  let x = Math.max(LEFT, room - RIGHT - total);
  let day = '';
  times.forEach((time, index) => {
    const before = x;
    if (index > 0) x += widths[index - 1] ?? 0;
    const ms = index > 0 ? time - (times[index - 1] ?? time) : 0;
    if (ms >= GAP_MS) gaps.push({ x: (before + x) / 2, ms });
    const moment = sorted[index];
    if (moment !== undefined) xOf.set(moment.id, x);
    if (dayKey(time) !== day) {
      day = dayKey(time);
      days.push({ x, at: time });
    }
  });
  return { xOf, nowX: x, days, gaps };
}

const letters = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

/** Cuts a name between graphemes, never inside one. A grapheme may be long, so the search is bounded. */
export function shortLabel(name: string): string {
  if (name.length <= LABEL_LETTERS_MAX) return name;
  const shown = [...letters.segment(name.slice(0, LABEL_LETTERS_MAX * 8))].map(({ segment }) => segment);
  return shown.length > LABEL_LETTERS_MAX
    ? `${shown.slice(0, LABEL_LETTERS_MAX - 1).join('')}…`
    : shown.join('');
}
const labelWidth = (name: string): number => [...letters.segment(shortLabel(name))].length * LETTER;

/** Gives each branch the first free lane from the top, rightmost forks first, so that no lines cross. */
function assignLanes(branches: readonly Branch[], xOf: ReadonlyMap<string, number>): Map<Branch, number> {
  const lanes: { from: number; to: number }[][] = [];
  const result = new Map<Branch, number>();
  const forkX = (branch: Branch): number =>
    branch.forkId === null ? LEFT - 1 : (xOf.get(branch.forkId) ?? LEFT);
  const laneOfMoment = new Map<string, number>();
  const ordered = [...branches].sort((a, b) => forkX(b) - forkX(a));
  const waiting = [...ordered];
  for (let turn = 0; turn < 2 * ordered.length && waiting.length > 0; turn += 1) {
    const branch = waiting.shift();
    if (branch === undefined) break;
    const onBranch =
      branch.forkId !== null && branches.some(other => other !== branch && holds(other, branch.forkId));
    // A branch of a branch is placed after its parent branch, and below it.
    if (onBranch && !laneOfMoment.has(branch.forkId ?? '') && turn < ordered.length) {
      waiting.push(branch);
      continue;
    }
    const last = branch.moments.at(-1);
    const from = forkX(branch) - 4;
    const to = (xOf.get(last?.id ?? '') ?? from) + 24 + labelWidth(last?.name ?? '');
    const floor = branch.forkId === null ? 0 : (laneOfMoment.get(branch.forkId) ?? 0);
    let lane = floor + 1;
    while ((lanes[lane] ?? []).some(span => span.from < to && from < span.to)) lane += 1;
    while (lanes.length <= lane) lanes.push([]);
    lanes[lane]?.push({ from, to });
    result.set(branch, lane);
    for (const moment of branch.moments) laneOfMoment.set(moment.id, lane);
  }
  return result;
}

const holds = (branch: Branch, id: string | null): boolean => branch.moments.some(moment => moment.id === id);

const laneY = (lane: number): number => LANE_TOP + lane * LANE_HEIGHT;
export const MAIN_LANE_Y = laneY(0);

const straight = (from: { x: number; y: number }, to: { x: number; y: number }): string =>
  `M${from.x} ${from.y}H${to.x}`;
const elbow = (from: { x: number; y: number }, to: { x: number; y: number }): string => {
  const bend = Math.min(10, Math.max(0, to.x - from.x));
  return `M${from.x} ${from.y}V${to.y - bend}q0 ${bend} ${bend} ${bend}H${to.x}`;
};

interface Span {
  readonly from: number;
  readonly to: number;
}
const isFree = (placed: readonly Span[], span: Span): boolean =>
  placed.every(other => other.to <= span.from || span.to <= other.from);

/** Labels along one lane, where there is room: pinned, then named ones. The main line has several rows. */
function lineLabels(nodes: readonly TimelineNode[], width: number): Map<string, Label> {
  const rows: Span[][] = LABEL_ROWS.map(() => []);
  const labels = new Map<string, Label>();
  const isPinned = (node: TimelineNode): boolean => node.moment?.pinned === true;
  const isAutomatic = (node: TimelineNode): boolean => node.moment?.kind === 'automatic';
  const rank = (node: TimelineNode): number => (isPinned(node) ? 0 : 2) + (isAutomatic(node) ? 2 : 0);
  for (const node of [...nodes].sort((a, b) => rank(a) - rank(b) || b.x - a.x)) {
    const name = node.moment?.name ?? '';
    if (name === '' || (isAutomatic(node) && !isPinned(node))) continue;
    const half = labelWidth(name) / 2 + 4;
    const x = Math.max(half, Math.min(width - half, node.x));
    const span = { from: x - half, to: x + half };
    const row = rows.findIndex(
      (placed, index) =>
        (node.lane === 0 ? !(isPinned(node) && index === 0) : index === 0) && isFree(placed, span),
    );
    if (row < 0) continue;
    rows[row]?.push(span);
    const y =
      node.lane === 0 ? node.y - node.radius - (LABEL_ROWS[row] ?? 0) : node.y + node.radius + LABEL_BELOW;
    labels.set(node.id, { text: shortLabel(name), x, y, anchor: 'middle' });
  }
  return labels;
}

/** The labels of every lane. The last moment of a branch always has its name, to its right. */
function labelAll(
  nodes: readonly TimelineNode[],
  ends: ReadonlySet<string>,
  width: number,
): Map<string, Label> {
  const labels = new Map<string, Label>();
  for (const lane of new Set(nodes.map(node => node.lane))) {
    const line = nodes.filter(node => node.lane === lane && node.moment !== null && !ends.has(node.id));
    for (const [id, label] of lineLabels(line, width)) labels.set(id, label);
  }
  for (const node of nodes) {
    const text = shortLabel(node.moment?.name ?? '');
    if (ends.has(node.id) && text !== '')
      labels.set(node.id, { text, x: node.x + node.radius + 7, y: node.y + 4, anchor: 'start' });
  }
  return labels;
}

export function layTimeline(timeline: Timeline, view: TimelineView): TimelineLayout {
  const trunk = trunkOf(timeline);
  const branches = branchesOf(timeline, trunk);
  const { xOf, nowX, days, gaps } = layAxis(timeline.moments, view);
  const lanes = assignLanes(branches, xOf);
  const nodes = new Map<string, TimelineNode>();
  const place = (moment: Moment, lane: number, hue: number): void => {
    const at = { id: moment.id, moment, x: xOf.get(moment.id) ?? LEFT, y: laneY(lane), lane, hue };
    nodes.set(moment.id, {
      ...at,
      radius: nodeRadius(moment.allocatedBytes),
      label: null,
    });
  };
  for (const moment of trunk) place(moment, 0, 0);
  for (const branch of branches)
    for (const moment of branch.moments) place(moment, lanes.get(branch) ?? 1, branch.hue);
  const nowNode = {
    id: NOW,
    moment: null,
    x: nowX,
    y: laneY(0),
    radius: 11,
    lane: 0,
    hue: 0,
    label: null,
  };
  nodes.set(NOW, nowNode);
  const ends = new Set<string>(branches.map(branch => branch.moments.at(-1)?.id ?? ''));
  const width = Math.max(view.width, nowX + RIGHT);
  const labels = labelAll([...nodes.values()], ends, width);
  const edges: TimelineEdge[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get((node.moment === null ? timeline.nowParentId : node.moment.parentId) ?? '');
    if (parent === undefined) continue;
    const path = parent.lane === node.lane ? straight(parent, node) : elbow(parent, node);
    edges.push({ from: parent.id, to: node.id, path, hue: node.hue });
  }
  const lowest = Math.max(0, ...[...nodes.values()].map(node => node.lane));
  return {
    width,
    height: laneY(lowest) + FOOT,
    nodes: [...nodes.values()].map(node => ({ ...node, label: labels.get(node.id) ?? null })),
    edges,
    days,
    gaps,
  };
}
