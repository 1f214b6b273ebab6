/** Answers that would not fit into memory. https://hl7.org/fhir/R4/http.html#paging */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { batch } from '../../src/interactions/batch.ts'
import { history } from '../../src/interactions/history.ts'
import { search } from '../../src/interactions/search.ts'
import { transaction } from '../../src/interactions/transaction.ts'
import { update } from '../../src/interactions/update.ts'
import type { Pairs } from '../../src/interactions/written.ts'
import { resource, type TestContext, testContext } from './context.ts'

const BODY = 1000
const IDS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j']

let ctx: TestContext
beforeEach(async () => {
  ctx = await testContext({ limits: { body: BODY } })
  // Ten resources of nearly the largest size, of which an answer holds four.
  for (const id of IDS)
    await update(
      ctx,
      'Basic',
      id,
      resource(
        `{"resourceType":"Basic","id":"${id}","code":{"text":"${id === 'c' ? 'x'.repeat(9 * BODY) : 'x'.repeat(BODY - 150)}"}}`,
      ),
    )
})
afterEach(() => ctx.storage.close())

/** Returns the ids of all pages, following one link. */
async function pages(
  first: Pairs,
  relation: string,
  read: (pairs: Pairs) => Promise<{
    rows: readonly { key: string; text?: string | undefined }[]
    links: readonly { relation: string; url: string }[]
  }>,
): Promise<string[]> {
  const found: string[] = []
  for (let pairs: Pairs | undefined = first; pairs !== undefined; ) {
    const { rows, links } = await read(pairs)
    expect(rows.length).toBeGreaterThan(0)
    if (rows.length > 1)
      expect(rows.reduce((sum, row) => sum + row.text!.length, 0)).toBeLessThanOrEqual(4 * BODY)
    found.push(rows.map(row => row.key.slice('Basic/'.length)).join(''))
    const url: string | undefined = links.find(link => link.relation === relation)?.url
    pairs = url === undefined ? undefined : [...new URL(url).searchParams]
  }
  return found
}

describe('a page that would be too large', () => {
  test('ends sooner, and its next link goes on there', async () => {
    expect(await pages([], 'next', pairs => search(ctx, 'Basic', pairs))).toEqual(['ab', 'c', 'defg', 'hij'])
  })

  test('ends sooner backwards too', async () => {
    const last = await search(ctx, 'Basic', [['_sort', '-_id']])
    const next = last.links.find(link => link.relation === 'next')!.url
    const second = await search(ctx, 'Basic', [...new URL(next).searchParams])
    const previous = second.links.find(link => link.relation === 'previous')!.url
    const all = await pages([...new URL(previous).searchParams], 'previous', pairs =>
      search(ctx, 'Basic', pairs),
    )
    expect(all.reverse().join('')).toBe('jihg')
  })

  test('of history ends sooner', async () => {
    const found = await pages([], 'next', pairs => history(ctx, { type: 'Basic' }, pairs))
    expect(found.join('')).toBe('jihgfedcba')
    expect(found.length).toBeGreaterThan(3)
  })
})

describe('the answer to a Bundle', () => {
  const bundle = (type: string, entries: string[]) =>
    resource(`{"resourceType":"Bundle","type":"${type}","entry":[${entries.join(',')}]}`)
  const read = (id: string) => `{"request":{"method":"GET","url":"Basic/${id}"}}`

  test.each(['batch', 'transaction'] as const)('refuses the reads of a %s that no longer fit', async type => {
    const entries = bundle(
      type,
      ['a', 'b', 'd', 'e', 'f', 'g', 'a', 'b', 'd', 'e', 'f', 'g', 'a', 'b', 'd', 'e', 'f', 'g'].map(read),
    )
    const answers = await (type === 'batch' ? batch : transaction)(ctx, entries)
    const statuses = answers.map(answer => answer.response!.status.slice(0, 3))
    expect(statuses.filter(status => status === '200')).toHaveLength(4)
    expect(statuses.filter(status => status === '413')).toHaveLength(14)
  })

  test.each(['batch', 'transaction'] as const)(
    'leaves the resources of writes of a %s out that no longer fit',
    async type => {
      const puts = IDS.map(
        id =>
          `{"resource":{"resourceType":"Basic","id":"${id}","code":{"text":"${'y'.repeat(BODY - 150)}"}},"request":{"method":"PUT","url":"Basic/${id}"}}`,
      )
      const answers = await (type === 'batch' ? batch : transaction)(ctx, bundle(type, puts), {
        return: 'representation',
      })
      expect(answers.map(answer => answer.response!.status.slice(0, 3))).toEqual(IDS.map(() => '200'))
      expect(answers.filter(answer => answer.resource !== undefined)).toHaveLength(4)
      for (const id of IDS) expect((await ctx.storage.read(`Basic/${id}`))?.version).toBe(2)
    },
  )
})
