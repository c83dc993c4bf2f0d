package wire

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// An alarm wakes one goroutine at a time. It is a timer of the kernel whose
// descriptor the runtime's poller watches: a time.Timer would be late by up to a
// millisecond, because the runtime waits in whole milliseconds while it polls.
type alarm struct {
	f  *os.File
	fd int
}

func newAlarm() (*alarm, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make timer: %w", err)
	}
	return &alarm{f: os.NewFile(uintptr(fd), "wire timer"), fd: fd}, nil
}

// set makes wait return after d, in place of what was set before. It must not be
// called after close.
func (a *alarm) set(d time.Duration) {
	at := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(max(d, 1)))} // 0 would disarm it
	if err := unix.TimerfdSettime(a.fd, 0, &at, nil); err != nil {
		panic(fmt.Sprintf("set timer to %v: %v", d, err)) // only arguments can be wrong
	}
}

// wait returns true when the time has come and false after close.
func (a *alarm) wait() bool {
	var expirations [8]byte
	_, err := a.f.Read(expirations[:])
	return err == nil
}

func (a *alarm) close() { _ = a.f.Close() }
