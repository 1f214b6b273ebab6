/** https://hl7.org/fhir/R4/resource-operation-meta-add.html */
import { describe, expect, it } from 'vitest'
import type { Context } from '../../src/context.ts'
import { update } from '../../src/interactions/update.ts'
import { changeLabels } from '../../src/operations/meta-labels.ts'
import { refusal, testContext } from '../interactions/context.ts'
import { call, storeAll, tree } from './context.ts'

const PLACE = { type: 'Basic', id: 'b' }
const given = (meta: object) => [{ name: 'meta', value: tree(meta) }]
const tags = (...codes: string[]) => ({ tag: codes.map(code => ({ code })) })
// biome-ignore lint/suspicious/noExplicitAny: read field by field
const metaOf = (answer: any) => answer.parameter[0].valueMeta

/** A context whose next commit finds that `before` has happened since its reading. */
function overtaken(ctx: Context, before: () => Promise<unknown>): Context {
  let first = true
  return {
    ...ctx,
    storage: {
      ...ctx.storage,
      async commit(commit) {
        if (first) {
          first = false
          await before()
        }
        return ctx.storage.commit(commit)
      },
    },
  }
}

const store = async (more: object = {}) => {
  const ctx = await testContext()
  await update(ctx, 'Basic', 'b', tree({ resourceType: 'Basic', id: 'b', code: { text: 'x' }, ...more }))
  return ctx
}

describe('a race', () => {
  it('of two $meta-add keeps the labels of both', async () => {
    const ctx = await store()
    const slow = overtaken(ctx, () => call(ctx, 'meta-add', PLACE, given(tags('fast'))))
    const meta = metaOf(await call(slow, 'meta-add', PLACE, given(tags('slow'))))
    expect(meta.tag).toEqual([{ code: 'fast' }, { code: 'slow' }])
    expect(meta.versionId).toBe('3')
  })

  it('with an update keeps what that wrote', async () => {
    const ctx = await store()
    const written = tree({ resourceType: 'Basic', id: 'b', code: { text: 'new' } })
    const slow = overtaken(ctx, () => update(ctx, 'Basic', 'b', written))
    await call(slow, 'meta-delete', PLACE, given(tags('none')))
    await call(slow, 'meta-add', PLACE, given(tags('slow')))
    const now = await ctx.storage.read('Basic/b')
    expect(JSON.parse(now!.text!)).toMatchObject({ code: { text: 'new' }, meta: { tag: [{ code: 'slow' }] } })
  })

  it('of $meta-delete and $meta-add takes away the one and keeps the other', async () => {
    const ctx = await store({ meta: tags('old') })
    const slow = overtaken(ctx, () => call(ctx, 'meta-add', PLACE, given(tags('new'))))
    const meta = metaOf(await call(slow, 'meta-delete', PLACE, given(tags('old'))))
    expect(meta.tag).toEqual([{ code: 'new' }])
  })
})

describe('labels', () => {
  const changed = (meta: object, labels: object, way: 'add' | 'delete') =>
    changeLabels(tree(meta), tree(labels), way)

  it('are told apart by system and code, and a missing system is one of its own', () => {
    const meta = { tag: [{ system: 's', code: 'a' }] }
    expect(
      changed(meta, { tag: [{ system: 's', code: 'a', display: 'A', version: '1' }] }, 'add'),
    ).toBeUndefined()
    expect(changed(meta, { tag: [{ code: 'a' }] }, 'add')).toEqual({
      tag: [{ system: 's', code: 'a' }, { code: 'a' }],
    })
    expect(changed(meta, { tag: [{ code: 'a' }] }, 'delete')).toBeUndefined()
    expect(changed(meta, { tag: [{ system: 's', code: 'a', version: '9' }] }, 'delete')).toEqual({})
  })

  it('change nothing else of meta, and no set that is not asked for', () => {
    const meta = { versionId: '1', source: 'urn:x', tag: [{ code: 'a' }], security: [{ code: 'a' }] }
    const labels = {
      versionId: '9',
      source: 'urn:y',
      lastUpdated: '2020-01-01T00:00:00Z',
      tag: [{ code: 'a' }],
    }
    expect(changed(meta, labels, 'delete')).toEqual({
      versionId: '1',
      source: 'urn:x',
      security: [{ code: 'a' }],
    })
    expect(changed(meta, { source: 'urn:y' }, 'add')).toBeUndefined()
  })
})

describe('$meta of a type', () => {
  const tagged = (n: number) => ({ resourceType: 'Basic', id: `t${n}`, meta: tags(`c${n % 700}`) })

  it('looks at ten thousand resources with labels, and refuses beyond', async () => {
    const ctx = await testContext()
    const all = Array.from({ length: 10_001 }, (_, n) => tagged(n))
    await storeAll(ctx, all.slice(1))
    await storeAll(ctx, [
      { resourceType: 'Basic', id: 'bare' },
      { resourceType: 'Slot', id: 'other', meta: tags('slot') },
    ])
    const meta = metaOf(await call(ctx, 'meta', { type: 'Basic' }))
    expect(meta.tag).toHaveLength(700)
    await storeAll(ctx, [all[0]!])
    const error = await refusal(call(ctx, 'meta', { type: 'Basic' }))
    expect([error.code, error.status]).toEqual(['too-costly', 400])
    expect(metaOf(await call(ctx, 'meta', { type: 'Slot' }))).toEqual(tags('slot'))
  }, 60_000)

  it('of which none has labels is empty', async () => {
    const ctx = await testContext()
    expect(metaOf(await call(ctx, 'meta', { type: 'Basic' }))).toEqual({})
  })
})
