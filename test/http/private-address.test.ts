/** Which addresses may be called back: the special ones of IANA's registries are refused in every spelling. */
import { describe, expect, it } from 'vitest'
import { refusedCallback } from '../../src/http/private-address.ts'

const refused = async (url: string, addresses: Record<string, string[]> = {}) =>
  (await refusedCallback(url, {
    allowPrivate: false,
    resolve: async name => {
      const found = addresses[name]
      if (found === undefined) throw new Error('no such name')
      return found
    },
  })) !== undefined

describe('refuses', () => {
  it.each([
    'http://127.0.0.1/',
    'http://127.255.255.254:8080/uhi',
    'http://2130706433/',
    'http://0x7f000001/',
    'http://0x7f.1/',
    'http://017700000001/',
    'http://0177.0.0.1/',
    'http://127.1/',
    'http://0/',
    'http://0.0.0.0/',
    'http://10.1.2.3/',
    'http://172.16.0.1/',
    'http://172.31.255.255/',
    'http://192.168.1.1/',
    'http://169.254.169.254/latest/meta-data/',
    'http://2852039166/latest/meta-data/',
    'http://100.64.0.1/',
    'http://100.100.100.200/',
    'http://192.0.2.1/',
    'http://198.18.0.1/',
    'http://198.51.100.1/',
    'http://203.0.113.1/',
    'http://224.0.0.1/',
    'http://255.255.255.255/',
    'http://[::1]/',
    'http://[::]/',
    'http://[0:0:0:0:0:0:0:1]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[::ffff:a9fe:a9fe]/',
    'http://[::127.0.0.1]/',
    'http://[64:ff9b::10.0.0.1]/',
    'http://[64:ff9b:1::1]/',
    'http://[2002:7f00:1::]/',
    'http://[2001::1]/',
    'http://[fe80::1]/',
    'http://[fc00::1]/',
    'http://[fd00:ec2::254]/',
    'http://[fec0::1]/',
    'http://[ff02::1]/',
    'http://[2001:db8::1]/',
    'http://localhost/',
    'http://LOCALHOST./',
    'http://a.localhost/',
    'http://printer/',
    'http://nas.local/',
    'http://metadata.google.internal/',
    'http://router.home.arpa/',
    'http://user:password@example.org/',
    'http://user@example.org/',
    'ftp://example.org/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    '//example.org/',
    'example.org',
    '',
    `http://example.org/${'a'.repeat(2000)}`,
  ])('%s', async url => {
    expect(await refused(url)).toBe(true)
  })

  it('a name that leads to a private address, among others or alone', async () => {
    expect(await refused('http://a.example.org/', { 'a.example.org': ['10.0.0.1'] })).toBe(true)
    expect(await refused('http://a.example.org/', { 'a.example.org': ['93.184.215.14', '::1'] })).toBe(true)
    expect(await refused('http://A.example.org./', { 'a.example.org': ['fe80::1%eth0'] })).toBe(true)
  })
})

describe('takes', () => {
  it.each([
    'https://93.184.215.14/hook',
    'http://8.8.8.8:8080/',
    'http://172.32.0.1/',
    'http://100.128.0.1/',
    'http://[2606:2800:21f:cb07::1]/',
    'http://[::ffff:8.8.8.8]/',
    'https://eua.example.org/callback',
  ])('%s', async url => {
    expect(await refused(url, { 'eua.example.org': ['93.184.215.14', '2606:2800:21f:cb07::1'] })).toBe(false)
  })

  it('a name that nobody knows at the moment, and one that cannot be looked up here', async () => {
    expect(await refused('http://b.example.org/')).toBe(false)
    expect(await refusedCallback('http://b.example.org/', { allowPrivate: false })).toBeUndefined()
  })

  it('private addresses where they are allowed, yet no other schemes and no user names', async () => {
    const allowed = { allowPrivate: true }
    expect(await refusedCallback('http://127.0.0.1:9000/', allowed)).toBeUndefined()
    expect(await refusedCallback('ftp://127.0.0.1/', allowed)).toBeDefined()
    expect(await refusedCallback('http://a:b@127.0.0.1/', allowed)).toBeDefined()
  })
})
