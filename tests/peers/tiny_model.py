"""A small Hugging Face folder with random weights and a trained byte-level tokenizer, for tests that need a model but no sense."""
import json

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

TEXT = ["The quick brown fox jumps over the lazy dog. ", "안녕하세요, 오늘은 날씨가 좋습니다. 한국어 문장을 하나 더 씁니다. ", "def main(): return 0\n"] * 20
TEMPLATE = """{%- for message in messages -%}
{{- '<|' + message['role'] + '|>' + message['content'] + '<|end|>' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|assistant|>' -}}{%- endif -%}
"""


def write(folder, *, hidden=32, layers=2, heads=4, kv_heads=2, positions=256, seed=3):
    """Returns the tokenizer (PyPI's)."""
    folder.mkdir(parents=True)
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(vocab_size=320, special_tokens=["<|end|>", "<|user|>", "<|assistant|>", "<|system|>"],
                                  initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    vocabulary = tokenizer.get_vocab_size()
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "<|end|>", "bos_token": "<|end|>"}))
    (folder / "chat_template.jinja").write_text(TEMPLATE)
    (folder / "config.json").write_text(json.dumps({
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": hidden, "intermediate_size": 2 * hidden,
        "max_position_embeddings": positions, "num_attention_heads": heads, "num_hidden_layers": layers, "num_key_value_heads": kv_heads,
        "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True, "torch_dtype": "float32", "vocab_size": vocabulary,
        "bos_token_id": 0, "eos_token_id": 0}))
    draw = np.random.default_rng(seed)
    kv = hidden // heads * kv_heads
    tensors = {"model.embed_tokens.weight": draw.normal(0, 0.5, (vocabulary, hidden)), "model.norm.weight": np.ones(hidden)}
    for i in range(layers):
        at = f"model.layers.{i}."
        shapes = {"self_attn.q_proj": (hidden, hidden), "self_attn.k_proj": (kv, hidden), "self_attn.v_proj": (kv, hidden), "self_attn.o_proj": (hidden, hidden),
                  "mlp.gate_proj": (2 * hidden, hidden), "mlp.up_proj": (2 * hidden, hidden), "mlp.down_proj": (hidden, 2 * hidden)}
        tensors.update({f"{at}{name}.weight": draw.normal(0, 0.3, shape) for name, shape in shapes.items()})
        tensors.update({f"{at}{name}.weight": np.ones(hidden) for name in ("input_layernorm", "post_attention_layernorm")})
    save_file({name: value.astype(np.float32) for name, value in tensors.items()}, folder / "model.safetensors", metadata={"format": "pt"})
    return tokenizer
