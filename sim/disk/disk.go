package disk

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/unilb/unilb/sim/sandbox"
)

// Limits of what the server may take.
const (
	mountLimit  = 10 * time.Second
	answerLimit = 5 * time.Second
	endLimit    = 2 * time.Second
)

// Unavailable says that this machine has no FUSE for us.
type Unavailable struct{ Err error }

func (e *Unavailable) Error() string { return "no FUSE file systems here: " + e.Err.Error() }
func (e *Unavailable) Unwrap() error { return e.Err }

// A Disk is one mounted file system and the process that serves it.
type Disk struct {
	dir    string
	cmd    *exec.Cmd
	ended  chan struct{} // the server has ended
	closed sync.Once
	err    error // of Close

	mu      sync.Mutex // one question at a time
	ask     *os.File
	answers *os.File
	decoder *json.Decoder
}

// Mount mounts a disk on dir whose files lie in behind. Both must exist, and
// nothing may change the files but by way of dir. The program must call
// sandbox.Init or sandbox.Main first of all. The error is *Unavailable when the
// machine or the user has no FUSE.
func Mount(dir, behind string) (*Disk, error) {
	if err := sandbox.Probe(sandbox.CapFUSE); err != nil {
		return nil, &Unavailable{Err: err}
	}
	d := &Disk{dir: dir, ended: make(chan struct{})}
	if err := d.start(behind); err != nil {
		return nil, fmt.Errorf("serve disk %s: %w", dir, err)
	}
	r, err := d.answer(mountLimit)
	if err == nil && r.Error != "" {
		err = errors.New(r.Error)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("serve disk %s: %w", dir, err), d.Close())
	}
	return d, nil
}

func (d *Disk) start(behind string) error {
	questions, ask, err := os.Pipe()
	if err != nil {
		return err
	}
	defer questions.Close()
	answers, reply, err := os.Pipe()
	if err != nil {
		ask.Close()
		return err
	}
	defer reply.Close()
	cmd := sandbox.Part(part, d.dir, behind)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = questions, reply, os.Stderr
	// A signal to our group is not for the server: it ends with its input.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		ask.Close()
		answers.Close()
		return err
	}
	d.cmd, d.ask, d.answers, d.decoder = cmd, ask, answers, json.NewDecoder(answers)
	go func() {
		_ = cmd.Wait() // how it ended is of no interest: its users have seen that it did
		close(d.ended)
	}()
	return nil
}

// Dir is where the disk is mounted.
func (d *Disk) Dir() string { return d.dir }

// Slow changes what the disk does, and lets operations go that wait under the old
// rule. It is in force when Slow returns.
func (d *Disk) Slow(s Slowness) error {
	if max(s.Fsync, s.Write) > MaxDelay || min(s.Fsync, s.Write) < 0 {
		return fmt.Errorf("slow disk %s: delays of %v and %v are not between 0 and %v", d.dir, s.Fsync, s.Write, MaxDelay)
	}
	_, err := d.call(request{Slow: &s})
	return err
}

// Stats are the numbers so far.
func (d *Disk) Stats() (Stats, error) { return d.call(request{}) }

func (d *Disk) call(q request) (Stats, error) {
	b, err := json.Marshal(q)
	if err != nil {
		return Stats{}, fmt.Errorf("ask disk %s: %w", d.dir, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, err := d.ask.Write(append(b, '\n')); err != nil {
		return Stats{}, fmt.Errorf("ask disk %s: %w", d.dir, err)
	}
	r, err := d.answer(answerLimit)
	if err != nil {
		return Stats{}, fmt.Errorf("ask disk %s: %w", d.dir, err)
	}
	return r.Stats, nil
}

func (d *Disk) answer(within time.Duration) (reply, error) {
	var r reply
	if err := d.answers.SetReadDeadline(time.Now().Add(within)); err != nil {
		return r, err
	}
	err := d.decoder.Decode(&r)
	return r, err
}

// Close unmounts the disk and ends its server. Whoever still has files open on it
// sees them fail; nothing is waited for. What was written is in the directory
// behind it. Later calls return the same.
func (d *Disk) Close() error {
	d.closed.Do(func() {
		if err := unmount(d.dir); err != nil && !errors.Is(err, unix.EINVAL) { // EINVAL: it is not mounted
			d.err = fmt.Errorf("unmount disk %s: %w", d.dir, err)
		}
		d.ask.Close()
		select {
		case <-d.ended:
		case <-time.After(endLimit):
			_ = d.cmd.Process.Kill()
			<-d.ended
		}
		d.answers.Close()
	})
	return d.err
}
