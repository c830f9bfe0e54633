package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"rollcall/adapters/device"
	"rollcall/domain"
)

func (a *app) clientJoinCommand(f *clientFlags) *cobra.Command {
	var label string
	cmd := &cobra.Command{
		Use:   "join STRING",
		Short: "Join with an enrolment string, once",
		Long: `Makes the device's key, and redeems the one-time string that 'rollcall device enrol'
printed. Where the answer is lost on the way, the same command again completes it.`,
		Example: "  rollcall client join 'rollcall:AaBb...' --label \"Ada's phone\"",
		Args:    arguments("STRING"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := f.path()
			if err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
				return fmt.Errorf("make the folder of the identity: %w", err)
			}
			identity, err := device.Join(cmd.Context(), args[0], path, label, device.Options{})
			switch {
			case errors.Is(err, fs.ErrExist):
				return &exitError{exitExists, fmt.Errorf("there is an identity at %s already: this device has joined, log in with 'rollcall client login'; for another device name another file with --identity", path)}
			case err != nil:
				return clientError(err)
			}
			joined := struct {
				Event    string          `json:"event"`
				Device   domain.DeviceID `json:"device"`
				Identity string          `json:"identity"`
			}{"joined", identity.Device(), path}
			if err := identity.Close(); err != nil {
				return err
			}
			return a.report(joined, "joined as device %d; its identity is in %s", joined.Device, path)
		},
	}
	host, _ := os.Hostname() // without one the label is empty
	cmd.Flags().StringVar(&label, "label", host, "the `NAME` that administrators shall see")
	return cmd
}
