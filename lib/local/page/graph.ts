/**
 * Draws the state machine: ASL file → DOT → SVG. Each state is a group in the SVG that the page can
 * find and highlight.
 */
import { Graphviz } from '@hpcc-js/wasm-graphviz';
import type { StateMachineDefinition } from 'aws-local-stepfunctions';
import { readDefinition } from '../workflows/definition.ts';

type States = StateMachineDefinition['States'];
type State = States[string];

/** The id of a state's group in the SVG. */
export const graphIdOf = (state: string): string =>
  `state-${state
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')}`;

/** Draws without sizes and colours; the page's style sheet sets them. */
export async function stateGraph(
  definition: StateMachineDefinition = readDefinition().states,
): Promise<string> {
  const svg = (await Graphviz.load()).dot(dotOf(definition));
  return svg
    .slice(svg.indexOf('<svg'))
    .replace(/<title>[^<]*<\/title>/g, '') // tooltips that repeat ids
    .replace(/ width="[^"]*" height="[^"]*"/, '')
    .replace(/ xmlns:xlink="[^"]*"/, '')
    .replace(/ (?:font-family|font-size)="[^"]*"/g, '')
    .replace(/<!--[^>]*-->\n?/g, '');
}

/** Node names are the names of states; quoted, they may hold any character. */
export function dotOf({ StartAt, States }: StateMachineDefinition): string {
  return `digraph {
  graph [rankdir=TB nodesep=0.22 ranksep=0.3 fontname="Helvetica" fontsize=13 bgcolor="transparent" pad=0.1 compound=true]
  node [fontname="Helvetica" fontsize=13 height=0.42 margin="0.14,0.06" shape=box style="rounded,filled"]
  edge [fontname="Helvetica" fontsize=11 arrowsize=0.6]
${statement('start', { shape: 'circle', label: '', width: 0.16, height: 0.16, class: 'start' })}
${edge('start', entryOf(StartAt, States[StartAt]), { ...intoMap(StartAt, States[StartAt]) })}
${drawn(States).join('\n')}
}`;
}

function drawn(states: States, map?: string): string[] {
  return Object.entries(states).flatMap(([name, state]) => [
    ...(state.Type === 'Map' ? cluster(name, insideOf(state)) : [node(name, state, map)]),
    ...nextOf(state).map(({ to, label, isCatch }) => {
      const target = states[to];
      return edge(exitOf(name, state), entryOf(to, target), {
        ...intoMap(to, target),
        ...(state.Type === 'Map' && { ltail: `cluster ${name}` }),
        ...(label && { label: ` ${label} ` }),
        ...(isCatch && { class: 'catch', style: 'dashed', weight: 0 }),
        // Edges of loops must not change the rank of a state.
        ...(/: wait$/.test(name) && { constraint: false }),
      });
    }),
  ]);
}

/** Two rows: the task and the wait that follows it, then the choice and the end. */
function cluster(name: string, states: States): string[] {
  const names = Object.keys(states);
  const [work, question, wait, done] = names;
  const rows =
    names.length === 4
      ? [
          [work, wait],
          [question, done],
        ]
      : [];
  return [
    `subgraph ${quoted(`cluster ${name}`)} {`,
    `graph [${attributes({ label: `${name}, each range`, id: graphIdOf(name), class: 'state map', style: 'rounded', labeljust: 'l', margin: 9 })}]`,
    ...drawn(states, name),
    ...rows.map((row) => `{ rank=same; ${row.map((one) => quoted(one ?? '')).join('; ')} }`),
    '}',
  ];
}

const SHAPES: Partial<Record<State['Type'], Record<string, unknown>>> = {
  Choice: { shape: 'hexagon', margin: '0.02,0.02', style: 'filled' },
  Succeed: { shape: 'box', style: 'rounded,filled,bold' },
};

/** A state within a Map leaves out the Map's name. */
function node(name: string, { Type: type }: State, map: string | undefined): string {
  const short = map === undefined ? name : name.replace(/^.*?: /, '');
  return statement(name, {
    label: broken(short),
    id: graphIdOf(name),
    class: `state ${type.toLowerCase()}`,
    ...SHAPES[type],
  });
}

/** Breaks a long label into two lines. */
function broken(label: string): string {
  if (label.length < 19) return label;
  const middle = label.length / 2;
  const spaces = [...label.matchAll(/ /g)].map(({ index }) => index);
  const [best] = spaces.sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
  return best === undefined ? label : `${label.slice(0, best)}\n${label.slice(best + 1)}`;
}

interface Way {
  readonly to: string;
  readonly label?: string;
  readonly isCatch?: true;
}

function nextOf(state: State): readonly Way[] {
  const choices = state.Type === 'Choice' ? state.Choices.map(choiceOf) : [];
  const otherwise = 'Default' in state && state.Default ? [{ to: state.Default }] : [];
  const next = 'Next' in state && state.Next ? [{ to: state.Next }] : [];
  const catches = 'Catch' in state ? (state.Catch ?? []) : [];
  return [
    ...choices,
    ...otherwise,
    ...next,
    ...catches.map(({ Next: to }): Way => ({ to, isCatch: true })),
  ];
}

function choiceOf(choice: { readonly Next: string }): Way {
  const equals: Readonly<Record<string, unknown>> = { ...choice };
  const said = equals['StringEquals'];
  return { to: choice.Next, ...(typeof said === 'string' && { label: said }) };
}

const insideOf = (state: State): States =>
  state.Type === 'Map' ? ((state.ItemProcessor ?? state.Iterator)?.States ?? {}) : {};

/** An arrow to a Map ends at its frame, but DOT needs a state within as its end. */
function entryOf(name: string, state: State | undefined): string {
  return state?.Type === 'Map' ? (Object.keys(insideOf(state))[0] ?? name) : name;
}

/** An arrow from a Map begins at its lowest state, the choice. */
function exitOf(name: string, state: State): string {
  return state.Type === 'Map' ? (Object.keys(insideOf(state))[1] ?? name) : name;
}

const intoMap = (name: string, state: State | undefined) =>
  state?.Type === 'Map' ? { lhead: `cluster ${name}` } : {};

const edge = (from: string, to: string, more: Readonly<Record<string, unknown>>): string =>
  `${quoted(from)} -> ${quoted(to)} [${attributes(more)}]`;

const statement = (name: string, more: Readonly<Record<string, unknown>>): string =>
  `${quoted(name)} [${attributes(more)}]`;

const attributes = (named: Readonly<Record<string, unknown>>): string =>
  Object.entries(named)
    .map(([name, value]) => `${name}=${quoted(String(value))}`)
    .join(' ');

const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
