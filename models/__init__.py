"""The recurrent networks of the book's chapter 10, one file per architecture.

The letters are the book's and never vary: x input, h hidden, o output, L loss, y
target; U input-to-hidden, W recurrent, V hidden-to-output, b and c biases.

>>> import numpy as np
>>> model = ManyToMany(1, 4, 1, rng=np.random.default_rng(0))
>>> model
ManyToMany: 29 numbers in 5 parameters
  rnn.U  (1, 4)  float32   4
  rnn.W  (4, 4)  float32  16
  rnn.b  (4,)    float32   4
  V      (4, 1)  float32   4
  c      (1,)    float32   1
"""

from minigrad.models.bidirectional import Bidirectional
from minigrad.models.clockwork import Clockwork
from minigrad.models.conditional import Conditional
from minigrad.models.deep_transition import DeepTransition
from minigrad.models.dynamical_system import DynamicalSystem
from minigrad.models.echo_state import EchoState
from minigrad.models.encoder_decoder import EncoderDecoder
from minigrad.models.fully_connected import FullyConnected
from minigrad.models.linear_recurrence import LinearRecurrence
from minigrad.models.many_to_many import ManyToMany
from minigrad.models.many_to_one import ManyToOne
from minigrad.models.neural_turing_machine import NeuralTuringMachine
from minigrad.models.one_to_many import OneToMany
from minigrad.models.output_feedback import OutputFeedback
from minigrad.models.recursive import Recursive
from minigrad.models.self_attention import SelfAttention
from minigrad.models.sequence_model import SequenceModel

__all__ = [
    "Bidirectional",
    "Clockwork",
    "Conditional",
    "DeepTransition",
    "DynamicalSystem",
    "EchoState",
    "EncoderDecoder",
    "FullyConnected",
    "LinearRecurrence",
    "ManyToMany",
    "ManyToOne",
    "NeuralTuringMachine",
    "OneToMany",
    "OutputFeedback",
    "Recursive",
    "SelfAttention",
    "SequenceModel",
]
