package gateway

import (
	"errors"

	"github.com/unilb/unilb/impl/config"
	"github.com/unilb/unilb/impl/store"
)

// alien brings the hash of a prefix up to date with an object whose kind the gateway does
// not know: it counts as it was read. hash 0: it is gone, or adds nothing.
func (c *configurator) alien(prefix, key string, hash store.Hash) {
	c.hash[prefix] += hash - c.foreign[key]
	if hash == 0 {
		delete(c.foreign, key)
	} else {
		c.foreign[key] = hash
	}
}

// await has objects that lack a secret count in the hash of a prefix as they were put:
// secrets come to each gateway at a time of its own.
func (c *configurator) await(prefix string, changes []config.Change, refused map[string]error) {
	waiting := c.secrets.waiting
	for i := range changes {
		ch := &changes[i]
		c.hash[prefix] -= waiting[ch.Key]
		delete(waiting, ch.Key)
		var lacks *config.MissingSecret
		if !ch.Delete && errors.As(refused[ch.Key], &lacks) {
			inForce, _ := c.snap.Stored(ch.Kind, ch.ID)
			waiting[ch.Key] = store.Hash(ch.Sum - inForce.Sum)
			c.hash[prefix] += waiting[ch.Key]
		}
	}
}
