import { describe, expect, it } from 'vitest'
import { header, Reader } from '../../bench/http-connection.ts'

/** Feeds the text byte by byte and returns the answer, which must come with the last byte. */
function feed(text: string) {
  const bytes = Buffer.from(text)
  const reader = new Reader()
  for (let i = 0; i < bytes.length - 1; i++) expect(reader.take(bytes.subarray(i, i + 1))).toBeUndefined()
  return reader.take(bytes.subarray(bytes.length - 1))
}

describe('Reader', () => {
  it('reads an answer of stated length in whatever pieces it comes', () => {
    const answer = feed('HTTP/1.1 201 Created\r\nLocation: /Patient/1\r\nContent-Length: 6\r\n\r\nना')
    expect(answer).toMatchObject({ status: 201, body: 'ना' })
    expect(header(answer!, 'location')).toBe('/Patient/1')
  })

  it('reads a chunked answer, a character split between two chunks', () => {
    const [head, tail] = [Buffer.from('ना').subarray(0, 2), Buffer.from('ना').subarray(2)]
    const reader = new Reader()
    reader.take(Buffer.from('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n'))
    reader.take(Buffer.concat([head, Buffer.from('\r\n4\r\n'), tail, Buffer.from('\r\n')]))
    expect(reader.take(Buffer.from('0\r\n\r\n'))?.body).toBe('ना')
  })

  it('reads 204 without a length', () => {
    expect(feed('HTTP/1.1 204 No Content\r\nETag: W/"2"\r\n\r\n')).toMatchObject({ status: 204, body: '' })
  })

  it('refuses an answer that states no length or exceeds it', () => {
    expect(() => new Reader().take(Buffer.from('HTTP/1.1 200 OK\r\n\r\n{}'))).toThrow(/no length/)
    expect(() => new Reader().take(Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}'))).toThrow(
      /longer/,
    )
  })
})
