/** Documents encrypted for one reader, opened by other means than they were sealed by. */
import { createDecipheriv, createPrivateKey, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Answer, type Any, ask, freshClinic, params } from './clinic-app.ts'

freshClinic()

describe('publicKey', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = pair.publicKey.export({ format: 'jwk' })
  const spki = pair.publicKey.export({ type: 'spki', format: 'pem' }) as string

  const EXPONENTS: readonly [string, string][] = [
    'AQ',
    'Ag',
    'AAAA',
    '',
    'AAAAAAAAAAAB',
    Buffer.alloc(255, 255).toString('base64url'),
    Buffer.alloc(1000, 255).toString('base64url'),
  ].map(e => [`a JWK with the exponent ${e.slice(0, 12)}`, JSON.stringify({ ...jwk, e })])

  /** Opened by hand with node:crypto, after RFC 7516 5.2: none of the code that sealed it is asked. */
  function opened(answer: Answer): { header: Any; text: string } {
    expect([answer.body.resourceType, answer.body.contentType]).toEqual(['Binary', 'application/jose'])
    const jwe = Buffer.from(answer.body.data, 'base64').toString('ascii')
    const [header, key, iv, cipher, tag] = jwe.split('.') as [string, string, string, string, string]
    const bytes = (part: string) => Buffer.from(part, 'base64url')
    const stated = JSON.parse(bytes(header).toString())
    const cek = privateDecrypt(
      { key: createPrivateKey(pair.privateKey.export({ type: 'pkcs8', format: 'pem' })), oaepHash: 'sha256' },
      bytes(key),
    )
    const decipher = createDecipheriv(cek.length === 16 ? 'aes-128-gcm' : 'aes-256-gcm', cek, bytes(iv))
    decipher.setAAD(Buffer.from(header, 'ascii'))
    decipher.setAuthTag(bytes(tag))
    return {
      header: stated,
      text: Buffer.concat([decipher.update(bytes(cipher)), decipher.final()]).toString(),
    }
  }

  const sealed = (values: Record<string, unknown>) =>
    ask('POST', 'Encounter/encounter-02/$document', params({ hiType: 'OPConsultation', ...values }))

  it.each([
    ['PEM', spki],
    [
      'base64 of the DER',
      (pair.publicKey.export({ type: 'spki', format: 'der' }) as Buffer).toString('base64'),
    ],
    ['JWK', JSON.stringify(pair.publicKey.export({ format: 'jwk' }))],
  ])('encrypts for a key as %s, and what comes out is the document', async (_, publicKey) => {
    const plain = await ask('GET', 'Encounter/encounter-02/$document?hiType=OPConsultation')
    const { header, text } = opened(await sealed({ publicKey }))
    expect([header.alg, header.enc]).toEqual(['RSA-OAEP-256', 'A128GCM'])
    expect(text).toBe(plain.text)
  })

  it('takes A256GCM where it is asked for', async () => {
    expect(opened(await sealed({ publicKey: spki, encryption: 'A256GCM' })).header.enc).toBe('A256GCM')
  })

  it.each([
    [
      'a key of 1024 bits',
      generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ type: 'spki', format: 'pem' }),
    ],
    [
      'an elliptic key',
      generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' }),
    ],
    ['a private JWK', JSON.stringify(pair.privateKey.export({ format: 'jwk' }))],
    ['a private PEM', pair.privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ...EXPONENTS,
    [
      'a JWK whose modulus is even',
      JSON.stringify({
        ...jwk,
        n: Buffer.concat([Buffer.alloc(255, 255), Buffer.from([254])]).toString('base64url'),
      }),
    ],
    ['a symmetric JWK', '{"kty":"oct","k":"AAAA"}'],
    ['words', 'my key'],
    ['an open brace', '{'],
    ['nothing but a label', '-----BEGIN PUBLIC KEY-----'],
  ])('refuses %s, and stores nothing', async (_, publicKey) => {
    const answer = await sealed({ publicKey: publicKey as string, persist: true })
    expect([answer.status, answer.body.issue?.[0].expression]).toEqual([400, ['http.publicKey']])
    expect((await ask('GET', 'Bundle?_summary=count')).body.total).toBe(0)
  })

  it('says that a private key is one', async () => {
    for (const key of [
      JSON.stringify(pair.privateKey.export({ format: 'jwk' })),
      pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    ])
      expect((await sealed({ publicKey: key })).body.issue[0].diagnostics).toContain('is a private key')
  })
})
