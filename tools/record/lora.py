#!/usr/bin/env python3
"""Records tests/fixtures/lora: small LoRA adapters and the weights PEFT's merge_and_unload makes of them.

Made with peft 0.21.2, transformers 5.23.0, torch 2.15.0, safetensors 0.8.0 (CPU, one thread).  Rerun: see README.md in this folder, then
`python tools/record/lora.py`.

One folder a variant:
  base/       config.json, model.safetensors
  adapter/    adapter_config.json, adapter_model.safetensors as `save_pretrained` writes them, with random weights
  merged.safetensors   the state of merge_and_unload, in the base's dtype
"""
import shutil
import tempfile
from pathlib import Path

from common import begin, finish, fixed_torch

torch = fixed_torch()
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

LLAMA = dict(vocab_size=40, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, max_position_embeddings=32,
             bos_token_id=1, eos_token_id=2)
GPT2 = dict(vocab_size=40, n_embd=16, n_layer=1, n_head=2, n_positions=16, bos_token_id=1, eos_token_id=2)
VARIANTS = {
    "plain": ("llama", LLAMA, torch.float32, dict(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"])),
    "patterns": ("llama", LLAMA, torch.float32, dict(r=4, lora_alpha=7, use_rslora=True, target_modules="all-linear", rank_pattern={"down_proj": 2},
                                                     alpha_pattern={"down_proj": 3, "layers.1.mlp.up_proj": 5})),
    "embedding": ("llama", LLAMA, torch.float32, dict(r=3, lora_alpha=6, target_modules=["embed_tokens", "o_proj"], modules_to_save=["lm_head"])),
    "bf16": ("llama", LLAMA, torch.bfloat16, dict(r=4, lora_alpha=16, target_modules=["q_proj", "gate_proj"])),
    "fan_in_fan_out": ("gpt2", GPT2, torch.float32, dict(r=4, lora_alpha=8, target_modules=["c_attn"], fan_in_fan_out=True)),
}


def main():
    out = begin("lora")
    for name, (kind, config, dtype, options) in VARIANTS.items():
        torch.manual_seed(7)
        folder = out / name
        model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **config, tie_word_embeddings=False)).to(dtype)
        model.save_pretrained(folder / "base")
        with tempfile.TemporaryDirectory() as scratch:
            adapted = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **options))
            for parameter_name, parameter in adapted.named_parameters():
                if "lora_" in parameter_name or "modules_to_save" in parameter_name:
                    parameter.data.normal_(0, 0.2)
            adapted.save_pretrained(scratch)
            (folder / "adapter").mkdir(parents=True)
            for file in ("adapter_config.json", "adapter_model.safetensors"):
                shutil.copy(Path(scratch) / file, folder / "adapter" / file)
        fresh = AutoModelForCausalLM.from_pretrained(folder / "base", dtype=dtype)
        merged = PeftModel.from_pretrained(fresh, folder / "adapter").merge_and_unload()
        (folder / "base" / "generation_config.json").unlink(missing_ok=True)
        save_file({key: value.contiguous().to(dtype) for key, value in merged.state_dict().items()}, folder / "merged.safetensors")
    finish(out, ["peft", "transformers", "torch", "safetensors"], "LoRA adapters and the weights PEFT merges them into")


main()
