// A real Bluesky network on 127.0.0.1: a PDS and a PLC directory, with three accounts on it.
//
// Prints one line "READY {json}" and stops when its standard input closes, so that it cannot
// outlive the test run that started it, however that ended. With DB_POSTGRES_URL and REDIS_HOST
// set the AppView runs too (like and follower counts); without them it needs no database.

import net from 'node:net'

// The development environment listens on every interface and has no setting for it.
const listen = net.Server.prototype.listen
net.Server.prototype.listen = function (...args) {
  const [first, second] = args
  if (typeof first === 'object' && first !== null && 'port' in first) {
    return listen.call(this, { ...first, host: '127.0.0.1' }, ...args.slice(1))
  }
  if (typeof first === 'number' || (typeof first === 'string' && /^\d+$/.test(first))) {
    const rest = typeof second === 'string' ? args.slice(2) : args.slice(1)
    return listen.call(this, Number(first), '127.0.0.1', ...rest)
  }
  if (first === undefined || typeof first === 'function') {
    return listen.call(this, 0, '127.0.0.1', ...args)
  }
  return listen.apply(this, args)
}

const hasAppView = Boolean(process.env.DB_POSTGRES_URL && process.env.REDIS_HOST)
if (hasAppView) {
  // The AppView's search by similar names needs an extension that a PostgreSQL from a Python wheel does
  // not have. Nothing here searches, so what would create it is left out.
  const { default: pg } = await import('pg')
  const query = pg.Client.prototype.query
  pg.Client.prototype.query = function (statement, ...rest) {
    const needsExtension = typeof statement === 'string' && /extension.*pg_trgm|gist_trgm_ops/i.test(statement)
    return query.call(this, needsExtension ? 'select 1' : statement, ...rest)
  }
}

const { TestNetwork, TestNetworkNoAppView } = await import('@atproto/dev-env')

const network = hasAppView
  ? await TestNetwork.create({ dbPostgresSchema: process.env.DB_POSTGRES_SCHEMA || 'smm_tests' })
  : await TestNetworkNoAppView.create({})

async function stop() {
  // A stuck connection must not keep the process alive.
  setTimeout(() => process.exit(0), 5000).unref()
  await network.close().catch(() => {})
  process.exit(0)
}
process.stdin.on('end', stop).on('close', stop).resume()
process.on('SIGTERM', stop)

const accounts = {}
for (const name of ['alice', 'bob', 'carol']) {
  const agent = network.pds.getAgent()
  const password = `main-password-of-${name}`
  const email = `${name}@example.com`
  await agent.createAccount({ handle: `${name}.test`, email, password })
  const made = await agent.com.atproto.server.createAppPassword({ name: 'tests' })
  accounts[name] = {
    did: agent.session.did,
    handle: `${name}.test`,
    email,
    password,
    app_password: made.data.password,
  }
}

const ready = {
  pds_url: network.pds.url,
  plc_url: network.plc.url,
  appview_url: hasAppView ? network.bsky.url : '',
  jwt_secret: network.pds.jwtSecretKey().export().toString('utf8'),
  accounts,
}
console.log(`READY ${JSON.stringify(ready)}`)
