import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { FhirError } from '../../src/fhir/error.ts'
import { readBody } from '../../src/http/body.ts'
import { queryText } from '../../src/http/query.ts'
import { parsePairs } from '../../src/interactions/pairs.ts'

/** A request whose body comes in pieces, without a length, and counts how many were taken. */
function streamed(pieces: Uint8Array[], headers: Record<string, string> = {}) {
  const taken = { count: 0 }
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const piece = pieces[taken.count++]
        if (piece === undefined) controller.close()
        else controller.enqueue(piece)
      },
    },
    { highWaterMark: 0 },
  )
  const request = new Request('http://x/', { method: 'POST', body, headers, duplex: 'half' } as RequestInit)
  return { request, taken }
}

const refusal = async (work: Promise<unknown>): Promise<FhirError> => {
  const error = await work.then(
    () => undefined,
    reason => reason,
  )
  if (!(error instanceof FhirError)) throw new Error(`not refused: ${error}`)
  return error
}

describe('a request body', () => {
  it('is read in one piece and in many', async () => {
    const whole = new Request('http://x/', {
      method: 'POST',
      body: 'abc',
      headers: { 'content-length': '3' },
    })
    expect(new TextDecoder().decode(await readBody(whole, 3))).toBe('abc')
    const { request } = streamed([new Uint8Array([1]), new Uint8Array([2, 3])])
    expect([...(await readBody(request, 3))]).toEqual([1, 2, 3])
  })

  it('larger than the limit by its Content-Length is refused unread', async () => {
    const request = new Request('http://x/', {
      method: 'POST',
      body: 'abcd',
      headers: { 'content-length': '4' },
    })
    expect((await refusal(readBody(request, 3))).status).toBe(413)
    expect(request.bodyUsed).toBe(false)
  })

  it('larger than the limit without a Content-Length is not read on', async () => {
    const { request, taken } = streamed(Array.from({ length: 1000 }, () => new Uint8Array(1000)))
    expect((await refusal(readBody(request, 5000))).status).toBe(413)
    expect(taken.count).toBeLessThan(10)
  })

  it('compressed with gzip is unpacked', async () => {
    const { request } = streamed([gzipSync('{"a":1}')], { 'content-encoding': 'gzip' })
    expect(new TextDecoder().decode(await readBody(request, 100))).toBe('{"a":1}')
  })

  it('that unpacks to more than the limit is refused', async () => {
    const bomb = gzipSync(Buffer.alloc(50_000_000))
    expect(bomb.length).toBeLessThan(100_000)
    const { request } = streamed([bomb], { 'content-encoding': 'gzip' })
    expect((await refusal(readBody(request, 100_000))).status).toBe(413)
  })

  it('that is no gzip, or an unknown encoding, is refused', async () => {
    const bad = streamed([new Uint8Array([1, 2, 3])], { 'content-encoding': 'gzip' })
    expect((await refusal(readBody(bad.request, 100))).status).toBe(400)
    const cut = streamed([gzipSync('{"a":1}').subarray(0, 12)], { 'content-encoding': 'gzip' })
    expect((await refusal(readBody(cut.request, 100))).status).toBe(400)
    const br = streamed([new Uint8Array([1])], { 'content-encoding': 'br' })
    expect((await refusal(readBody(br.request, 100))).status).toBe(415)
  })
})

describe('parameters', () => {
  it('keep their order and repetition, and are decoded', () => {
    expect(
      parsePairs(queryText('http://x/fhir/Patient?name=%E0%B4%AE%E0%B5%87&name=a+b&x&y=1=2&&z=%2B')),
    ).toEqual([
      ['name', 'മേ'],
      ['name', 'a b'],
      ['x', ''],
      ['y', '1=2'],
      ['z', '+'],
    ])
    expect(parsePairs(queryText('http://x/fhir'))).toEqual([])
  })

  it.each(['a=%', 'a=%zz', 'a=%C3', 'a=%00', '%ff=1'])('a malformed escape is refused: %s', text => {
    expect(() => parsePairs(text)).toThrow(FhirError)
  })
})
