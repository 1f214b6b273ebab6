/** UHI on a server of its own: signed messages in and out over sockets, booked, confirmed and cancelled. */
import { expect, it } from 'vitest'
import { header, isSignedBy, type Party, type Peers, party, pkcs8, record, startPeers } from '../uhi/peers.ts'
import { api, type Server, type Tree, word } from './client.ts'

export interface UhiNetwork {
  /** Settings of a server that is an HSPA of this network. */
  vars: Record<string, string>
  peers: Peers
  hspa: Party
  eua: Party
  gateway: Party
}

/** Starts registry, gateway and app in this process. */
export async function uhiNetwork(): Promise<UhiNetwork> {
  const peers = await startPeers()
  const [hspa, eua, gateway] = [
    party('hspa-nadi', 'h.k1'),
    party('eua-nha', 'e.k1'),
    party('uhigateway', 'g.k1'),
  ]
  // By the real clock: the record of the other tests is of one year.
  const valid = { valid_from: '2020-01-01T00:00:00Z', valid_until: '2100-01-01T00:00:00Z' }
  peers.records.set(eua.id, record(eua, 'EUA', peers.url, valid))
  peers.records.set(gateway.id, record(gateway, 'gateway', peers.url, valid))
  const vars = {
    NADI_UHI: 'on',
    NADI_UHI_SUBSCRIBER_ID: hspa.id,
    NADI_UHI_KEY_ID: hspa.keyId,
    NADI_UHI_PRIVATE_KEY: pkcs8(hspa.privateKey),
    NADI_UHI_GATEWAY_URL: peers.url,
    NADI_UHI_PRIVATE_CALLBACKS: 'on',
  }
  return { vars, peers, hspa, eua, gateway }
}

const IST = 330 * 60_000

export function uhiSuite(server: () => Server, { peers, hspa, eua, gateway }: UhiNetwork): void {
  it('books, confirms and cancels by signed messages of UHI', { timeout: 60_000 }, async () => {
    const client = api(server().base)
    const id = word()
    const day = new Date(Date.now() + IST + 86_400_000).toISOString().slice(0, 10)
    const ref = (reference: string) => ({ reference })
    const resources: Tree[] = [
      { resourceType: 'Organization', id: `o-${id}`, name: `Clinic ${id}` },
      { resourceType: 'Practitioner', id: `p-${id}`, name: [{ text: `Dr ${id}` }] },
      {
        resourceType: 'HealthcareService',
        id: `h-${id}`,
        name: 'Cardiology',
        providedBy: ref(`Organization/o-${id}`),
      },
      {
        resourceType: 'Schedule',
        id: `s-${id}`,
        actor: [ref(`Practitioner/p-${id}`), ref(`HealthcareService/h-${id}`)],
      },
      {
        resourceType: 'Slot',
        id: `t-${id}`,
        schedule: ref(`Schedule/s-${id}`),
        status: 'free',
        start: `${day}T10:00:00+05:30`,
        end: `${day}T10:20:00+05:30`,
      },
    ]
    for (const one of resources) {
      const { status, text } = await client.put(`${one.resourceType}/${one.id}`, one)
      expect(status, text).toBe(201)
    }

    const send = async (
      action: string,
      message: unknown,
      by: Party,
      name = 'Authorization',
    ): Promise<Tree> => {
      const body = JSON.stringify({
        context: {
          domain: 'nic2004:85111',
          country: 'IND',
          city: 'std:0484',
          action,
          core_version: '0.7.1',
          consumer_id: eua.id,
          consumer_uri: `${peers.url}/eua`,
          ...(name === 'Authorization' && { provider_id: hspa.id }),
          transaction_id: `t-${id}`,
          message_id: `${action}-${id}`,
          timestamp: new Date().toISOString(),
        },
        message,
      })
      const answer = await fetch(`${client.root}/hspa/${action}`, {
        method: 'POST',
        headers: {
          'Content-Type': 'application/json',
          [name]: header(by, body, Math.floor(Date.now() / 1000)),
        },
        body,
      })
      expect(await answer.json()).toEqual({ message: { ack: { status: 'ACK' } }, error: {} })
    }
    /** Waits for messages of an action of this transaction. */
    const told = async (action: string, n: number): Promise<Peers['received']> => {
      for (let i = 0; i < 100; i++) {
        const found = peers.received.filter(
          one => one.json.context.action === action && one.json.context.transaction_id === `t-${id}`,
        )
        if (found.length >= n) {
          for (const one of found) expect(isSignedBy(hspa.publicKey, one.authorization, one.body)).toBe(true)
          return found
        }
        await server().tick?.()
        await new Promise(resolve => setTimeout(resolve, 100))
      }
      throw new Error(`No ${action} came.`)
    }

    const time = (clock: string) => ({ time: { timestamp: `${day}T${clock}` } })
    const fulfillment = {
      type: 'Physical',
      start: time('00:00:00'),
      end: time('23:59:59'),
      agent: { name: id },
    }
    await send('search', { intent: { fulfillment } }, gateway, 'X-Gateway-Authorization')
    const [found] = await told('on_search', 1)
    expect(found!.path).toBe('/api/v1/uhi/on_search')
    const [provider] = found!.json.message.catalog.providers
    expect([provider.id, provider.fulfillments[0].id]).toEqual([`o-${id}`, `t-${id}`])

    const order = {
      provider: { id: provider.id },
      item: provider.items[0],
      fulfillment: { id: `t-${id}`, type: 'Physical' },
      billing: { name: 'Meera Nair', phone: '9800000001' },
      customer: { id: `meera.${id}@sbx` },
      payment: { type: 'ON-ORDER' },
    }
    await send('init', { order }, eua)
    const held = (await told('on_init', 1))[0]!.json.message.order
    expect((await client.get(`Slot/t-${id}`)).body.status).toBe('busy-tentative')

    const terms = held.terms.map((term: Tree) => ({ ...term, termsState: 'AGREED' }))
    await send('confirm', { order: { ...held, terms } }, eua)
    const confirmed = await told('on_confirm', 2)
    expect(confirmed.map(one => one.path).sort()).toEqual(['/api/v1/uhi/on_confirm_audit', '/eua/on_confirm'])
    expect(confirmed[0]!.body.equals(confirmed[1]!.body)).toBe(true)
    expect(confirmed[0]!.json.message.order).toMatchObject({
      state: 'CONFIRMED',
      authorization: { type: 'PIN', token: expect.stringMatching(/^[0-9]{4}$/), status: 'GENERATED' },
    })
    expect((await client.get(`Slot/t-${id}`)).body.status).toBe('busy')

    const tags = { '@abdm/gov.in/cancelledby': 'patient' }
    await send('cancel', { order: { id: held.id, state: 'CANCELLED', fulfillment: { tags } } }, eua)
    const cancelled = await told('on_cancel', 2)
    expect(cancelled[0]!.json.message.order.state).toBe('CANCELLED')
    expect((await client.get(`Slot/t-${id}`)).body.status).toBe('free')
  })
}
