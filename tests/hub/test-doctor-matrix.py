#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is wrong with a lock against what the doctor says first: all of it over the simulator.

By itself a small one, for each run of the hub suite; with LOCKHUB_DOCTOR_MATRIX=full (tools/test
--doctor-matrix) every trouble, alone and in pairs, and a hundred locks that are well. The facts behind each
wrong word go to the file LOCKHUB_DOCTOR_FACTS.
"""

import os

import doctor
from case import case, expect, main
from rig import Rig

IS_FULL = os.environ.get("LOCKHUB_DOCTOR_MATRIX") == "full"
RIGHT_LEAST = 95
FALSE_MOST = 1


def keep_facts(patients):
    path = os.environ.get("LOCKHUB_DOCTOR_FACTS")
    if path:
        with open(path, "w", encoding="utf-8") as file:
            for one in patients:
                if not one.is_right:
                    file.write(f"{one.text}\twanted {' or '.join(one.causes) or 'nothing'}"
                               f"\tfirst {one.first}\t{one.facts()}\n")


@case
def the_first_finding_is_the_cause():
    patients = (doctor.cohort() if IS_FULL
                else doctor.cohort(n_alone=8, n_pairs=3, n_healthy=8))
    doctor.examine_all(patients, Rig.note)
    keep_facts(patients)
    share, n_false = doctor.report(patients, Rig.note)
    expect(share >= RIGHT_LEAST, f"{share:.1f} % of the first findings are right")
    expect(n_false <= FALSE_MOST, f"{n_false} locks that are well were accused")


main()
