package supervisor

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lockLimit bounds the waiting for another command: none holds the registry longer
// than it takes to remove the files of a lab.
const lockLimit = 10 * time.Second

// locked lets f change the registry while no other command does: what one of them
// takes for the remains of a lab must not be another's new one. The lock ends with
// the process that holds it.
func locked(f func(dir string) error) error {
	dir, err := registryDir()
	if err != nil {
		return err
	}
	lock, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("lock registry of labs: %w", err)
	}
	defer lock.Close()
	const pace = 5 * time.Millisecond
	tick := time.NewTicker(pace)
	defer tick.Stop()
	for begun := time.Now(); ; <-tick.C {
		err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return f(dir)
		}
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return fmt.Errorf("lock registry of labs: %w", err)
		}
		if time.Since(begun) > lockLimit {
			return fmt.Errorf("lock registry of labs: another lbsim has held %s for %s", dir, lockLimit)
		}
	}
}
