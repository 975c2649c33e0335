// Where an arrow key, Home or End leads on the timeline. Pure.
import { NOW, type TimelineLayout, type TimelineNode } from './timeline-layout.ts';

const byDistance =
  (from: TimelineNode) =>
  (a: TimelineNode, b: TimelineNode): number =>
    Math.abs(a.x - from.x) - Math.abs(b.x - from.x);

/** ← → along the line, ↑ ↓ to the next lane, Home oldest, End Now. Null: another key, or nowhere to go. */
export function walkTimeline(layout: TimelineLayout, atId: string, key: string): string | null {
  const at = layout.nodes.find(node => node.id === atId) ?? layout.nodes.find(node => node.id === NOW);
  if (at === undefined) return null;
  const parentId = layout.edges.find(edge => edge.to === at.id)?.from ?? null;
  switch (key) {
    case 'ArrowLeft':
      return parentId;
    case 'ArrowRight': {
      const children = layout.edges.filter(edge => edge.from === at.id).map(edge => edge.to);
      const sameLane = layout.nodes.find(node => children.includes(node.id) && node.lane === at.lane);
      return sameLane?.id ?? children[0] ?? null;
    }
    case 'ArrowUp':
    case 'ArrowDown': {
      const down = key === 'ArrowDown';
      const beyond = layout.nodes.filter(node => (down ? node.lane > at.lane : node.lane < at.lane));
      const lane = down
        ? Math.min(...beyond.map(node => node.lane))
        : Math.max(...beyond.map(node => node.lane));
      return beyond.filter(node => node.lane === lane).sort(byDistance(at))[0]?.id ?? null;
    }
    case 'Home':
      return [...layout.nodes].sort((a, b) => a.x - b.x)[0]?.id ?? null;
    case 'End':
      return NOW;
    default:
      return null;
  }
}
