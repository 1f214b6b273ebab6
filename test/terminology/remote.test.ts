/** Another terminology server, over HTTP: asked last, and within bounds. https://hl7.org/fhir/R4/terminology-service.html */
import { afterEach, describe, expect, it } from 'vitest'
import { lookUp } from '../../src/interactions/needs.ts'
import { answerCodes } from '../../src/terminology/validate-code.ts'
import { refusal, type TestContext, testContext } from '../interactions/context.ts'
import { call, storeAll } from '../operations/context.ts'
import { given, plain } from '../operations/terminology.ts'
import { json, type Peer, parameters, type Reply, startPeer } from './peer.ts'

const SCT = 'http://snomed.info/sct'
const VS = 'https://thanal.example.org/vs'

let peer: Peer | undefined
afterEach(async () => {
  await peer?.close()
  peer = undefined
})

async function against(reply: Reply, terminologyMs = 2000): Promise<{ ctx: TestContext; peer: Peer }> {
  peer = await startPeer(reply)
  const ctx = await testContext({ terminologyUrl: peer.url, terminologyMs })
  return { ctx, peer }
}

const set = (compose: object) => ({ resourceType: 'ValueSet', id: 'v', url: VS, status: 'active', compose })
const ask = (ctx: TestContext, valueSet: string, code: string, system = SCT) =>
  answerCodes(ctx, [{ valueSet, codings: [{ system, code }] }], ctx.clock() + 5000)

const yes: Reply = (_, response) =>
  json(
    response,
    200,
    parameters({ name: 'result', valueBoolean: true }, { name: 'display', valueString: 'Fever' }),
  )

describe('a code of a system that is not held here', () => {
  it('is asked for, with system and code and nothing else', async () => {
    const { ctx, peer } = await against(yes)
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    const codings = [{ system: SCT, code: '386661006', display: 'Fever of Meera Nair' }]
    const [answer] = await answerCodes(ctx, [{ valueSet: VS, codings }], ctx.clock() + 5000)
    expect(answer).toEqual({ result: 'in', matched: 0, display: 'Fever' })
    expect(peer.asked).toEqual([
      {
        path: 'CodeSystem/$validate-code',
        body: parameters({ name: 'url', valueUri: SCT }, { name: 'code', valueCode: '386661006' }),
      },
    ])
  })

  it('is asked for with the include, where that has filters; value sets of the include stay here', async () => {
    const { ctx, peer } = await against(yes)
    const filter = [{ property: 'concept', op: 'is-a', value: '404684003' }]
    await storeAll(ctx, [set({ include: [{ system: SCT, filter }] })])
    expect((await ask(ctx, VS, '386661006'))[0]?.result).toBe('in')
    const compose = { include: [{ system: SCT, filter }] }
    expect(peer.asked[0]).toEqual({
      path: 'ValueSet/$validate-code',
      body: parameters(
        { name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'active', compose } },
        { name: 'coding', valueCoding: { system: SCT, code: '386661006' } },
      ),
    })
  })

  it('is asked for by the value set, where that is not held here', async () => {
    const { ctx, peer } = await against(yes)
    expect((await ask(ctx, 'urn:elsewhere|2', '1'))[0]?.result).toBe('in')
    expect(peer.asked[0]?.body).toEqual(
      parameters(
        { name: 'url', valueUri: 'urn:elsewhere' },
        { name: 'valueSetVersion', valueString: '2' },
        { name: 'coding', valueCoding: { system: SCT, code: '1' } },
      ),
    )
  })

  it('is out where the server says so', async () => {
    const { ctx } = await against((_, response) =>
      json(
        response,
        200,
        parameters(
          { name: 'result', valueBoolean: false },
          { name: 'message', valueString: 'The code 1 is not valid in SNOMED CT' },
        ),
      ),
    )
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    expect((await ask(ctx, VS, '1'))[0]).toEqual({ result: 'out', why: expect.stringContaining('not valid') })
  })

  it.each<[string, Reply]>([
    ['404', (_, response) => json(response, 404, { resourceType: 'OperationOutcome', issue: [] })],
    ['422', (_, response) => json(response, 422, { resourceType: 'OperationOutcome', issue: [] })],
    ['500', (_, response) => json(response, 500, {})],
    ['something that is no JSON', (_, response) => response.end('<html>')],
    ['no resource', (_, response) => json(response, 200, {})],
    ['no result', (_, response) => json(response, 200, parameters())],
    ['a connection that ends', (_, response) => response.destroy()],
    [
      'that it does not know the code system',
      (_, response) =>
        json(
          response,
          200,
          parameters(
            { name: 'result', valueBoolean: false },
            { name: 'message', valueString: 'A definition for CodeSystem x could not be found' },
          ),
        ),
    ],
    [
      'that it does not know the code system, by a parameter',
      (_, response) =>
        json(
          response,
          200,
          parameters(
            { name: 'result', valueBoolean: false },
            { name: 'x-caused-by-unknown-system', valueCanonical: SCT },
          ),
        ),
    ],
  ])('is unknown, and never out, where the answer is %s', async (_, reply) => {
    const { ctx } = await against(reply)
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    expect((await ask(ctx, VS, '1'))[0]?.result).toBe('unknown')
  })

  it.each([
    "The provided code 'http://snomed.info/sct#1' was not found in the value set 'urn:v|5.0.0'",
    "Unknown code '1' in the CodeSystem 'http://snomed.info/sct' version '2026'",
  ])('is out where the server says: %s', async message => {
    const { ctx } = await against((_, response) =>
      json(
        response,
        200,
        parameters({ name: 'result', valueBoolean: false }, { name: 'message', valueString: message }),
      ),
    )
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    expect((await ask(ctx, VS, '1'))[0]?.result).toBe('out')
  })

  it.each([
    "Unknown code system 'http://snomed.info/sct'",
    'Unable to validate code 1: ValueSet not found in the value set registry',
    "Unknown code '1' in the CodeSystem 'http://snomed.info/sct' - note that the code system is labeled as a fragment",
  ])('is unknown where the server says: %s', async message => {
    const { ctx } = await against((_, response) =>
      json(
        response,
        200,
        parameters({ name: 'result', valueBoolean: false }, { name: 'message', valueString: message }),
      ),
    )
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    expect((await ask(ctx, VS, '1'))[0]?.result).toBe('unknown')
  })

  it('is of the system that was asked about, whatever the server says, and out where that is excluded', async () => {
    const { ctx } = await against((_, response) =>
      json(
        response,
        200,
        parameters({ name: 'result', valueBoolean: true }, { name: 'system', valueUri: 'urn:other' }),
      ),
    )
    const exclude = [{ system: SCT, concept: [{ code: '1' }] }]
    await storeAll(ctx, [set({ include: [{ system: SCT }], exclude })])
    expect((await ask(ctx, VS, '1'))[0]?.result).toBe('out')
  })

  it('is not asked for where the system is held here', async () => {
    const { ctx, peer } = await against(yes)
    const gender = 'http://hl7.org/fhir/ValueSet/administrative-gender'
    const [answer] = await ask(ctx, gender, 'nobody', 'http://hl7.org/fhir/administrative-gender')
    expect(answer?.result).toBe('out')
    expect(peer.asked).toEqual([])
  })
})

describe('the bounds', () => {
  it('end a question at the timeout, all questions of one value together', async () => {
    const { ctx } = await against(() => {}, 300)
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    const before = performance.now()
    const questions = Array.from({ length: 40 }, (_, i) => ({
      valueSet: VS,
      codings: [{ system: SCT, code: `${i}` }],
    }))
    const answers = await answerCodes(
      { ...ctx, tick: () => performance.now() },
      questions,
      ctx.clock() + 60_000,
    )
    expect(performance.now() - before).toBeLessThan(1500)
    expect(answers.every(({ result }) => result === 'unknown')).toBe(true)
  })

  it('end an answer that does not end', async () => {
    let sent = 0
    const { ctx } = await against((_, response) => {
      response.writeHead(200, { 'content-type': 'application/fhir+json' })
      const piece = 'x'.repeat(1_000_000)
      const more = () => {
        do sent += piece.length
        while (!response.destroyed && response.write(piece))
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    }, 5000)
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    expect((await ask(ctx, VS, '1'))[0]?.result).toBe('unknown')
    // Four megabytes are read; the rest is what the sockets hold.
    expect(sent).toBeLessThan(20_000_000)
  })

  it('do not follow it to another server', async () => {
    const other = await startPeer(yes)
    try {
      const { ctx } = await against((asked, response) => {
        response.writeHead(307, { location: `${other.url}/${asked.path}` })
        response.end()
      })
      await storeAll(ctx, [set({ include: [{ system: SCT }] })])
      expect((await ask(ctx, VS, '1'))[0]?.result).toBe('unknown')
      expect(other.asked).toEqual([])
    } finally {
      await other.close()
    }
  })

  it('leave it alone for a while after failures, and then ask again', async () => {
    const { ctx, peer } = await against((_, response) => json(response, 500, {}))
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    for (let i = 0; i < 10; i++) {
      await ask(ctx, VS, `a${i}`)
      // A failed answer is not kept; only the rest is.
      ctx.pass(1)
    }
    expect(peer.asked).toHaveLength(3)
    ctx.pass(10_000)
    peer.reply = yes
    expect((await ask(ctx, VS, 'a9'))[0]?.result).toBe('in')
    expect(peer.asked).toHaveLength(4)
  })

  it('ask the same thing once, at the same time and later', async () => {
    const { ctx, peer } = await against(yes)
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    const question = { valueSet: VS, codings: [{ system: SCT, code: '1' }] }
    await answerCodes(ctx, [question, question, question], ctx.clock() + 5000)
    ctx.pass(60_000)
    await ask(ctx, VS, '1')
    expect(peer.asked).toHaveLength(1)
    // What was known an hour ago is asked again.
    ctx.pass(3_600_000)
    await ask(ctx, VS, '1')
    expect(peer.asked).toHaveLength(2)
  })
})

describe('the operations', () => {
  it('keep answers for an hour, and what it refuses for five minutes', async () => {
    const { ctx, peer } = await against(yes)
    const lookup = (code: string) => call(ctx, 'lookup', { type: 'CodeSystem' }, given({ system: SCT, code }))
    await lookup('1')
    ctx.pass(3_599_000)
    await lookup('1')
    expect(peer.asked).toHaveLength(1)
    ctx.pass(1000)
    await lookup('1')
    expect(peer.asked).toHaveLength(2)
    peer.reply = (_, response) => json(response, 404, { resourceType: 'OperationOutcome' })
    await refusal(lookup('2'))
    ctx.pass(299_000)
    await refusal(lookup('2'))
    expect(peer.asked).toHaveLength(3)
    ctx.pass(1000)
    await refusal(lookup('2'))
    expect(peer.asked).toHaveLength(4)
  })

  it('$lookup, $subsumes and $translate are passed on, and their answers given', async () => {
    const { ctx, peer } = await against((asked, response) =>
      json(response, 200, parameters({ name: 'asked', valueString: asked.path })),
    )
    const answer = async (name: string, type: string, sent: Record<string, unknown>) =>
      plain(await call(ctx, name, { type }, given(sent))).asked
    expect(await answer('lookup', 'CodeSystem', { system: SCT, code: '1' })).toBe('CodeSystem/$lookup')
    expect(await answer('subsumes', 'CodeSystem', { system: SCT, codeA: '1', codeB: '2' })).toBe(
      'CodeSystem/$subsumes',
    )
    expect(await answer('translate', 'ConceptMap', { url: 'urn:x', system: SCT, code: '1' })).toBe(
      'ConceptMap/$translate',
    )
    expect(await answer('validate-code', 'CodeSystem', { url: SCT, code: '1' })).toBe(
      'CodeSystem/$validate-code',
    )
    expect(peer.asked).toHaveLength(4)
  })

  it('say 404 where it does not know either, and 503 where it does not answer', async () => {
    const { ctx, peer } = await against((_, response) =>
      json(response, 404, {
        resourceType: 'OperationOutcome',
        issue: [{ severity: 'error', code: 'not-found', diagnostics: 'never heard of it' }],
      }),
    )
    const lookup = () => call(ctx, 'lookup', { type: 'CodeSystem' }, given({ system: SCT, code: '1' }))
    expect(await refusal(lookup())).toMatchObject({
      status: 404,
      message: expect.stringContaining('never heard of it'),
    })
    peer.reply = (_, response) => json(response, 500, {})
    const subsumes = () =>
      call(ctx, 'subsumes', { type: 'CodeSystem' }, given({ system: SCT, codeA: '1', codeB: '2' }))
    expect(await refusal(subsumes())).toMatchObject({ status: 503, code: 'transient' })
  })

  const expansion = {
    resourceType: 'ValueSet',
    status: 'active',
    expansion: {
      timestamp: '2026-01-01',
      contains: [
        { system: SCT, code: '386661006', display: 'Fever' },
        { system: SCT, code: '49727002', display: 'Cough' },
      ],
    },
  }
  it('$expand lists what the server has of an include, beside what is here', async () => {
    const { ctx, peer } = await against((_, response) => json(response, 200, expansion))
    const filter = [{ property: 'concept', op: 'is-a', value: '404684003' }]
    await storeAll(ctx, [
      set({
        include: [
          { system: SCT, filter },
          { system: 'urn:own', concept: [{ code: 'x' }] },
        ],
      }),
    ])
    const answer = await call(ctx, 'expand', { type: 'ValueSet' }, given({ url: VS }))
    expect(answer.expansion.contains.map((one: { code: string }) => one.code)).toEqual([
      '386661006',
      '49727002',
      'x',
    ])
    expect(peer.asked[0]?.path).toBe('ValueSet/$expand')
  })

  const page = (more: object, ...codes: string[]) => ({
    resourceType: 'ValueSet',
    status: 'active',
    expansion: { timestamp: '2026-01-01', ...more, contains: codes.map(code => ({ system: SCT, code })) },
  })

  it(':in asks for the pages that a server sends in place of all', async () => {
    const { ctx, peer } = await against((asked, response) => {
      const from = asked.body.parameter.find(({ name }: { name: string }) => name === 'offset')
      json(response, 200, from === undefined ? page({ total: 3 }, '1', '2') : page({ total: 3 }, '3'))
    })
    const codes = ['1', '2', '3'].map(code => ({ system: SCT, code }))
    expect(await lookUp(ctx, { is: 'value-set', url: 'urn:elsewhere' })).toEqual({ codes })
    expect(peer.asked[1]?.body.parameter.at(-1)).toEqual({ name: 'offset', valueInteger: 2 })
  })

  const part = { url: 'http://hl7.org/fhir/StructureDefinition/valueset-toocostly', valueBoolean: true }
  it.each([
    ['says so', page({ extension: [part] }, '1')],
    ['has fewer than its total, and no more', page({ total: 3 })],
    ['gives the same page for ever', page({ total: 3 }, '1', '2')],
  ])(':in does not take a part for the whole: an expansion that %s', async (_, answer) => {
    const { ctx, peer } = await against((_, response) => json(response, 200, answer))
    expect(await lookUp(ctx, { is: 'value-set', url: 'urn:elsewhere' })).toEqual({
      unknown: expect.stringContaining('a part of its codes only'),
    })
    expect(peer.asked.length).toBeLessThanOrEqual(20)
  })

  it('codes of another system are not taken for those of an include', async () => {
    const lie = page({}, '1')
    lie.expansion.contains.push({ system: 'urn:other', code: '2' })
    const { ctx } = await against((_, response) => json(response, 200, lie))
    await storeAll(ctx, [set({ include: [{ system: SCT }] })])
    expect(await lookUp(ctx, { is: 'value-set', url: VS })).toEqual({ codes: [{ system: SCT, code: '1' }] })
  })

  it('say 503 where the server answers with something else than was asked for', async () => {
    const { ctx } = await against((_, response) => json(response, 200, { resourceType: 'Patient' }))
    const lookup = call(ctx, 'lookup', { type: 'CodeSystem' }, given({ system: SCT, code: '1' }))
    expect(await refusal(lookup)).toMatchObject({ status: 503, code: 'transient' })
  })

  it('$validate-code passes all codings on, with what they are to be judged by, and not the text', async () => {
    const { ctx, peer } = await against(yes)
    const coding = [
      { system: SCT, code: '1' },
      { system: SCT, code: '2' },
    ]
    const sent = {
      url: 'urn:elsewhere',
      codeableConcept: { coding, text: 'Fever of Meera' },
      abstract: 'false',
    }
    await call(ctx, 'validate-code', { type: 'ValueSet' }, given(sent))
    expect(peer.asked[0]?.body).toEqual(
      parameters(
        { name: 'url', valueUri: 'urn:elsewhere' },
        { name: 'codeableConcept', valueCodeableConcept: { coding } },
        { name: 'abstract', valueBoolean: false },
      ),
    )
  })

  it(':in and :below ask for the codes too', async () => {
    const { ctx } = await against((_, response) => json(response, 200, expansion))
    const codes = [
      { system: SCT, code: '386661006' },
      { system: SCT, code: '49727002' },
    ]
    expect(await lookUp(ctx, { is: 'value-set', url: 'urn:elsewhere' })).toEqual({ codes })
    expect(await lookUp(ctx, { is: 'codes', system: SCT, code: '404684003', way: 'below' })).toEqual({
      codes,
    })
  })
})
