"""Trains the small network that estimates a head's tilt: `fervt/faces/tilt.py`.

    python -m scripts.train_tilt ~/fer2013-prepared.parquet

It trains for a few minutes on a CPU, on FER2013's Training faces, rotated by any angle and shifted
and scaled like detectors' boxes. Prints the error on PublicTest and writes `assets/tilt.onnx`.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from tqdm import tqdm

from fervt.cli.ending import run_to_end
from fervt.data.prepared import read_prepared
from fervt.engines.onnx_graph import strip_debugging
from fervt.faces.tilt import INPUT_PX, as_input
from fervt.resources import TILT_NETWORK

BATCH, RATE = 128, 2e-3
SHIFT, SCALES = 0.08, (0.85, 1.2)  # of a box's side: how detectors' boxes differ


class TiltNet(nn.Module):
    """Estimates a head's tilt: (B, 1, 32, 32) from `as_input` to (B, 2), its cosine and sine."""

    def __init__(self) -> None:
        super().__init__()

        def stage(channels_in: int, channels: int) -> list[nn.Module]:
            convolution = nn.Conv2d(channels_in, channels, 3, stride=2, padding=1, bias=False)
            return [convolution, nn.BatchNorm2d(channels), nn.ReLU()]

        self.layers = nn.Sequential(
            *stage(1, 24),
            *stage(24, 48),
            *stage(48, 96),
            nn.Flatten(),
            nn.Linear(96 * 4 * 4, 96),
            nn.ReLU(),
            nn.Linear(96, 2),
        )

    def forward(self, disks: torch.Tensor) -> torch.Tensor:
        """Reads disks."""
        return self.layers(disks)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="a prepared file")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--out", type=Path, default=TILT_NETWORK)
    args = parser.parse_args()
    torch.manual_seed(0)
    faces = {
        split: torch.from_numpy(read_prepared(args.data, (split,)).images)
        for split in ("Training", "PublicTest")
    }
    net = TiltNet()
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    steps = args.epochs * (len(faces["Training"]) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, steps)
    bar = tqdm(range(steps), disable=None)
    for _ in bar:
        some = faces["Training"][torch.randint(len(faces["Training"]), (BATCH,))]
        near = torch.rand(BATCH) < 0.5
        angles = (2 * torch.rand(BATCH) - 1) * torch.where(near, 50.0, 180.0)
        across = net(disks(turn(some, angles, jitter=True)))
        wanted = torch.stack(
            [torch.cos(torch.deg2rad(angles)), torch.sin(torch.deg2rad(angles))], 1
        )
        loss = F.mse_loss(across, wanted)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
    net.eval()
    for angle in (0, 15, 30, 45, 90, 180):
        turned = turn(faces["PublicTest"], torch.full((len(faces["PublicTest"]),), float(angle)))
        with torch.inference_mode():
            across = net(disks(turned))
        found = torch.rad2deg(torch.atan2(across[:, 1], across[:, 0])).numpy()
        error = np.abs((found - angle + 180) % 360 - 180)
        print(
            f"{angle:4d} degrees: median error {np.median(error):.1f}, "
            f"90th percentile {np.percentile(error, 90):.1f}, over 20: {np.mean(error > 20):.1%}"
        )
    write(net, args.out)


def disks(faces: torch.Tensor) -> torch.Tensor:
    """Gray squares (B, 32, 32) as the network's input."""
    return torch.from_numpy(as_input(faces.numpy()))


def write(net: TiltNet, file: Path) -> None:
    """Writes the network for ONNX Runtime, which reads one face at a time."""
    traced = torch.onnx.export(
        net.eval(),
        (torch.zeros(1, 1, INPUT_PX, INPUT_PX),),
        dynamo=True,
        verbose=False,
        opset_version=18,
        input_names=["disks"],
        output_names=["across"],
    )
    assert traced is not None
    proto = traced.model_proto
    strip_debugging(proto)
    file.write_bytes(proto.SerializeToString(deterministic=True))


def turn(faces: torch.Tensor, angles_deg: torch.Tensor, jitter: bool = False) -> torch.Tensor:
    """Turns gray faces (B, 48, 48) uint8 clockwise, each by its angle; (B, S, S) float, 0..255."""
    count = len(faces)
    scale, shift = torch.ones(count), torch.zeros(count, 2)
    if jitter:
        scale = SCALES[0] * (SCALES[1] / SCALES[0]) ** torch.rand(count)
        shift = SHIFT * 2 * (2 * torch.rand(count, 2) - 1)
    cosine, sine = torch.cos(torch.deg2rad(angles_deg)), torch.sin(torch.deg2rad(angles_deg))
    # Maps a point of the output to the point of the face that it shows.
    back = scale[:, None, None] * torch.stack([cosine, sine, -sine, cosine], 1).reshape(-1, 2, 2)
    moves = torch.cat([back, shift[:, :, None]], dim=2)
    grid = F.affine_grid(moves, [count, 1, INPUT_PX, INPUT_PX], align_corners=False)
    turned = F.grid_sample(faces[:, None].float(), grid, padding_mode="border", align_corners=False)
    return turned[:, 0]


if __name__ == "__main__":
    sys.exit(run_to_end("train_tilt", main))
