/** Signatures, held against the vectors that NHA published with the signing document (CC0). */

import { createHash } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import { describe, expect, it } from 'vitest'
import { fromBase64, toBase64 } from '../../src/lib/base64.ts'
import {
  digestOf,
  privateKeyOf,
  publicKeyOf,
  readSignature,
  sign,
  signedBytes,
  untimely,
  verifies,
} from '../../src/uhi/signature.ts'

const DIGEST = 'W9UFzCRHgPpPoJxDFuGIz9bWqOjpc6f+Tv32bN1X3qSesscMXhUSdMyGsloAgn8+wo95otF2FQDz+YOBVz2hqA=='
const VECTORS = [
  {
    who: 'EUA',
    privateKey: 'MC4CAQAwBQYDK2VwBCIEIGCioWvsJleY53bW5+8G9vWWqsdGA9y1JMoVvLslaFA7',
    publicKey: 'MCowBQYDK2VwAyEA9AwjtMBySgjkf3cx2pzAYt8pL1qAlhil3WUulCSpFnI=',
    created: '1679652050',
    expires: '1679652060',
    signature: 'EfImhDOjl1SiwwUYKHSmz52u/FYZSggS5B177WaxvQg5OApvCk/OQW/n0nsSdRdm7KM8cXm/T77pdF7jI5G3Bw==',
  },
  {
    who: 'gateway',
    privateKey: 'MC4CAQAwBQYDK2VwBCIEIOQY8MXyrivtJ2/s0lBg6E5DQQ5GMID+OAXyAlyybdUH',
    publicKey: 'MCowBQYDK2VwAyEAcIx++sNvDok2/3Vh/xjKZ0sLovgsFZz2Aizo5AVb74Q=',
    created: '1679651246',
    expires: '1679651256',
    signature: 'iiY0S3XVyxg6OamWTFvldHxkqsTOUDdwNUpgJaYjbP1fRqVFQ73jGxLfEPu5fjIYxhAthyCq3l3KCJAUOKIRAA==',
  },
] as const

describe.each(VECTORS)('the vector of the $who', vector => {
  it('is reproduced from the private key', () => {
    const bytes = signedBytes(vector.created, vector.expires, DIGEST)
    expect(toBase64(ed25519.sign(bytes, privateKeyOf(vector.privateKey)!))).toBe(vector.signature)
  })

  it('verifies with the public key, and not over S itself or over another digest', () => {
    const key = publicKeyOf(vector.publicKey)!
    const signature = fromBase64(vector.signature)!
    const bytes = signedBytes(vector.created, vector.expires, DIGEST)
    const plain = `(created): ${vector.created} (expires): ${vector.expires} digest: BLAKE-512=${DIGEST}`
    expect(ed25519.verify(signature, bytes, key)).toBe(true)
    expect(ed25519.verify(signature, new TextEncoder().encode(plain), key)).toBe(false)
    expect(ed25519.verify(signature, signedBytes(vector.created, vector.expires, 'x'), key)).toBe(false)
  })
})

it('the digest is the BLAKE2b-512 that OpenSSL makes, in base64', () => {
  for (const text of ['', 'abc', 'मीरा'.repeat(100)])
    expect(digestOf(new TextEncoder().encode(text))).toBe(
      createHash('blake2b512').update(text).digest('base64'),
    )
})

const signer = {
  subscriberId: 'hspa-nadi',
  keyId: 'k1',
  privateKey: privateKeyOf(VECTORS[0].privateKey)!,
}
const key = publicKeyOf(VECTORS[0].publicKey)!
const body = new TextEncoder().encode('{"context":{"city":"std:0484"},"name":"मीरा"}')

describe('a header of ours', () => {
  const text = sign(signer, body, 1679652050, 1679652060)

  it('is the JSON string that UHI wants', () => {
    expect(JSON.parse(text)).toEqual({
      headers: '(created) (expires) digest',
      expires: '1679652060',
      signature: expect.stringMatching(/^[A-Za-z0-9+/]{86}==$/),
      created: '1679652050',
      keyId: 'hspa-nadi|k1|ed25519',
      algorithm: 'ed25519',
    })
  })

  it('verifies for its body, and for no other', () => {
    const header = readSignature(text)!
    expect(verifies(header, body, key)).toBe(true)
    expect(verifies(header, new TextEncoder().encode('{}'), key)).toBe(false)
    expect(verifies({ ...header, expires: '1679652061' }, body, key)).toBe(false)
    expect(verifies({ ...header, signature: '' }, body, key)).toBe(false)
    expect(verifies(header, body, publicKeyOf(VECTORS[1].publicKey)!)).toBe(false)
  })

  it('holds from when it was made until it expires, and a clock may be off by the skew', () => {
    const header = readSignature(text)!
    expect(untimely(header, 1679652050_000, 0)).toBeUndefined()
    expect(untimely(header, 1679652060_000, 0)).toBeUndefined()
    expect(untimely(header, 1679652049_000, 0)).toBe('CREATED IN THE FUTURE')
    expect(untimely(header, 1679652061_000, 0)).toBe('EXPIRED')
    expect(untimely(header, 1679652049_000, 5)).toBeUndefined()
    expect(untimely(header, 1679652065_000, 5)).toBeUndefined()
    expect(untimely(header, 1679652066_000, 5)).toBe('EXPIRED')
  })
})

it.each([
  ['nothing', ''],
  ['the Beckn form', 'Signature keyId="a|b|ed25519",algorithm="ed25519",created="1",expires="2"'],
  ['no object', '"x"'],
  ['another algorithm', sign(signer, body, 1, 2).replace('"algorithm":"ed25519"', '"algorithm":"none"')],
  ['a key id of two parts', sign(signer, body, 1, 2).replace('hspa-nadi|k1', 'hspa-nadi')],
  ['other signed headers', sign(signer, body, 1, 2).replace('(created) (expires) digest', 'digest')],
  ['a time that is no number', sign(signer, body, 1, 2).replace('"created":"1"', '"created":"1e9"')],
  ['a header without end', `{"headers":"${'x'.repeat(5000)}"}`],
])('is no header: %s', (_, header) => {
  expect(readSignature(header)).toBeUndefined()
})

it('takes bare keys of 32 bytes, and refuses keys of another kind', () => {
  const bare = toBase64(key)
  expect(publicKeyOf(bare)).toEqual(key)
  // X25519 has the OID 1.3.101.110.
  expect(publicKeyOf(VECTORS[0].publicKey.replace('MCowBQYDK2Vw', 'MCowBQYDK2Vu'))).toBeUndefined()
  expect(publicKeyOf('not base64')).toBeUndefined()
})
