"""Two processes with two devices each: the steps are those of one device.

``python -m tests.compile.jax.on_hosts NUMBER OF ADDRESS`` is one of them; without
arguments both are started.
"""

import os
import socket
import subprocess
import sys

FLAGS = "--xla_force_host_platform_device_count=2 --xla_backend_optimization_level=0"


def main(number, count, address):
    import jax

    jax.distributed.initialize(address, int(count), int(number))
    from tests.compile.jax import on_devices

    assert len(jax.devices()) == 4
    assert len(jax.local_devices()) == 2
    on_devices.gradients_agree("elman")
    on_devices.twenty_steps_agree()
    differ(on_devices, int(number))
    print("agree on", jax.process_count())
    jax.distributed.shutdown()


def differ(on_devices, number):
    """Hosts whose parameters differ are told."""
    import pytest

    net = on_devices.model(seed=number)
    import minigrad as mg

    program = mg.compile(net.loss, strict=True, backend="jax", mesh=on_devices.MESH)
    with pytest.raises(Exception, match="different values of a parameter"):
        program(*on_devices.data(6)[:2])


def start():
    with socket.socket() as s:
        s.bind(("localhost", 0))
        address = f"localhost:{s.getsockname()[1]}"
    command = [sys.executable, "-m", "tests.compile.jax.on_hosts"]
    started = [
        subprocess.Popen(
            [*command, str(k), "2", address],
            env={**os.environ, "XLA_FLAGS": FLAGS},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for k in range(2)
    ]
    return [p.communicate(timeout=500)[0] for p in started]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(*sys.argv[1:])
    else:
        for said in start():
            print(said)
