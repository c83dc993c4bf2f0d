package gateway

import (
	"context"
	"crypto/rand"
	"time"
)

// rotateAtLeast bounds the time between two looks at the clock, which may be set
// while we wait.
const rotateAtLeast = 10 * time.Minute

// rotateTickets keeps the keys of session tickets those of the moment.
func (g *Gateway) rotateTickets(ctx context.Context) {
	for {
		next := g.certs.Rotate(time.Now())
		select {
		case <-time.After(min(time.Until(next), rotateAtLeast)):
		case <-ctx.Done():
			return
		}
	}
}

// madeUpSecret seals tickets that nobody else can open.
func madeUpSecret() []byte {
	secret := make([]byte, 32)
	_, _ = rand.Read(secret) // ends the program rather than fail
	return secret
}
