/**
 * The graph of the state machine: every state of the ASL file is a group that the page can find.
 */
import { describe, expect, test } from 'vitest';
import { dotOf, graphIdOf, stateGraph } from '../../lib/local/page/graph.ts';
import { readDefinition } from '../../lib/local/workflows/definition.ts';

describe('the picture of the state machine', () => {
  test('has one group for each state, and for no other', async () => {
    const { states, mapOf } = readDefinition();
    const names = [...Object.keys(states.States), ...mapOf.keys()];
    const svg = (await stateGraph()).replaceAll('&#45;', '-');
    const drawn = [...svg.matchAll(/<g id="(state-[^"]+)" class="(?:node|cluster) state /g)];
    expect(drawn.map(([, id]) => id).sort()).toEqual(names.map(graphIdOf).sort());
    expect(new Set(names.map(graphIdOf)).size).toBe(names.length);
  });

  test('has nothing that a content security policy would refuse', async () => {
    expect(await stateGraph()).not.toMatch(/<script|<style| style=| on[a-z]+=|href/);
  });

  test('draws states whatever they are called', async () => {
    const name = 'a "quoted" \\ <b onclick=x> & so on';
    const definition = {
      StartAt: name,
      States: {
        [name]: { Type: 'Pass', Next: 'end' },
        end: { Type: 'Succeed' },
      },
    } as const;
    const svg = await stateGraph(definition);
    expect(svg).toContain('&lt;b');
    expect(svg).not.toContain('<b');
    expect(dotOf(definition)).toContain('"a \\"quoted\\" \\\\ <b onclick=x> & so on" -> "end"');
  });
});
