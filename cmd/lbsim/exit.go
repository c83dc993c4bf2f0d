package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/unilb/unilb/conformance/driver"
	"github.com/unilb/unilb/sim/fault"
	"github.com/unilb/unilb/sim/lab"
	"github.com/unilb/unilb/sim/lab/supervisor"
	"github.com/unilb/unilb/sim/sandbox"
	"github.com/unilb/unilb/topology"
)

// Exit codes.
const (
	codeGood        = 0
	codeWrong       = 1 // a check failed, a regression
	codeUndecided   = 2
	codeInput       = 3   // bad input
	codeMachine     = 4   // this machine cannot
	codeBroken      = 5   // lbsim itself failed
	codeInterrupted = 130 // interrupted, cleaned up
)

// An exitError asks for an exit code. Without an error there is nothing to print.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// inputError marks an error as the user's.
func inputError(err error) error {
	if err == nil {
		return nil
	}
	return &exitError{code: codeInput, err: err}
}

// codeOf maps an error to its exit code. What no package claims is ours.
func codeOf(ctx context.Context, err error) int {
	var (
		asked    *exitError
		spec     topology.Errors
		unknown  *topology.UnknownError
		path     *fs.PathError
		missing  *supervisor.NotFound
		inUse    *supervisor.InUse
		question *supervisor.InputError
		cannot   *supervisor.Unavailable
		cannot2  *lab.Unavailable
		noBox    *sandbox.Unavailable
		noFault  *fault.Unavailable
		binaries *lab.MissingBinaries
		foreign  *lab.ForeignGateway
		program  *driver.NotInstalled
	)
	switch {
	case errors.As(err, &asked):
		return asked.code
	case ctx.Err() != nil:
		return codeInterrupted
	case errors.As(err, &spec), errors.As(err, &unknown), errors.As(err, &missing), errors.As(err, &inUse), errors.As(err, &question),
		errors.As(err, &binaries), errors.As(err, &foreign):
		return codeInput
	case errors.As(err, &cannot), errors.As(err, &cannot2), errors.As(err, &noBox), errors.As(err, &program):
		return codeMachine
	case errors.As(err, &noFault) && noFault.Machine:
		return codeMachine
	case errors.As(err, &noFault):
		return codeInput
	case errors.As(err, &path) && errors.Is(err, fs.ErrNotExist):
		return codeInput
	default:
		return codeBroken
	}
}
