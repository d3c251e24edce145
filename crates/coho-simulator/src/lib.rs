//! A Vitally that can be run: as strict as its documentation, with a switch for each thing that it leaves open.
