// Package tenant owns the calls by which a tenant, or the compute platform,
// changes load balancers through lbc-api. It speaks JSON that it wrote itself,
// as docs/wire.md has it, over any dialer, so it works inside a lab and across
// a plain network. It knows several replicas of the API and goes on to the next
// when one cannot be reached; it never repeats a call that was answered.
//
// A Client is safe for concurrent use.
package tenant
