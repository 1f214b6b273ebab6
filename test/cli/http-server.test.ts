import { describe, expect, it } from 'vitest'
import { proxyTest } from '../../src/cli/http-server.ts'

const from = (address: string | undefined) => ({ incoming: { socket: { remoteAddress: address } } })

describe('trusted proxies', () => {
  const trusts = proxyTest(['10.1.0.0/16', '192.0.2.7', '2001:db8::/32', '::1'])!

  it.each(['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.7', '2001:db8::9', '::1'])('%s is one', address =>
    expect(trusts(from(address))).toBe(true),
  )

  it.each(['10.2.0.1', '192.0.2.8', '2001:db9::1', '127.0.0.1', undefined])('%s is none', address =>
    expect(trusts(from(address))).toBe(false),
  )

  it('without a list there are none', () => expect(proxyTest([])).toBeUndefined())
})
