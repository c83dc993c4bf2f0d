package gateway

import (
	"context"
	"crypto/rand"
	"time"
)

// rotateAtLeast bounds the time between two looks at the clock, which may be set
// while we wait.
const rotateAtLeast = 10 * time.Minute

// ticketClock is what the keys of session tickets go by.
type ticketClock struct {
	now   func() time.Time
	after func(time.Duration) <-chan time.Time
}

func (c ticketClock) orSystem() ticketClock {
	if c.now == nil {
		return ticketClock{now: time.Now, after: time.After}
	}
	return c
}

// rotateTickets keeps the keys of session tickets those of the moment.
func (g *Gateway) rotateTickets(ctx context.Context) {
	clock := g.o.tickets
	for {
		now := clock.now()
		next := g.certs.Rotate(now)
		select {
		case <-clock.after(min(next.Sub(now), rotateAtLeast)):
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
