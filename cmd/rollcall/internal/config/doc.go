// Package config reads Rollcall's settings from four layers, each over the one
// in front of it: the defaults, a TOML file, ROLLCALL_* variables of the
// environment, flags.
//
// It is strict: a key that no setting has, and a value that a setting cannot
// take, is an *[Error] that says where the value stands (file and line, variable
// or flag), what is wrong with it and what would be right. What a setting means
// is described in docs/operating.md, whose sample a test reads.
//
// It opens no data folder and no socket, and it holds no password: there is none
// among the settings.
package config
