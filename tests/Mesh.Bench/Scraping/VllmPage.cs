using System.Globalization;
using System.Text;

namespace Mesh.Bench.Scraping;

/// <summary>
/// A page of metrics as vLLM's server writes it: Python's own metrics, every family of the engine with all its buckets and creation times,
/// and those of the HTTP layer. One engine makes about 60 KB.
/// </summary>
public sealed class VllmPage
{
    private static readonly double[] RequestSeconds =
        [0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680];

    private static readonly double[] FirstTokenSeconds =
        [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, 160, 640, 2560];

    private static readonly double[] TokenSeconds =
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80];

    private static readonly double[] Tokens =
        [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000, 100_000];

    private static readonly double[] HttpSeconds =
        [0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5, 5, 7.5, 10, 30, 60];

    private readonly StringBuilder _text = new();

    public int Engines { get; init; } = 1;

    public string Model { get; init; } = "meta-llama/Llama-3.1-8B-Instruct";

    public int Running { get; init; } = 37;

    public int Waiting { get; init; } = 2;

    public double KvUtilizationRatio { get; init; } = 0.4375;

    /// <summary>Requests ended so far; the totals of everything else follow from it.</summary>
    public int Requests { get; init; } = 180_000;

    /// <summary>The page.</summary>
    public byte[] Make()
    {
        _text.Clear();
        Python();
        Engine();
        Http();
        return Encoding.UTF8.GetBytes(_text.ToString());
    }

    private void Python()
    {
        Head("python_gc_objects_collected_total", "counter", "Objects collected during gc");
        for (var i = 0; i < 3; i++) Line($"python_gc_objects_collected_total{{generation=\"{i}\"}}", 12_345 * (i + 1));
        Head("python_gc_collections_total", "counter", "Number of times this generation was collected");
        for (var i = 0; i < 3; i++) Line($"python_gc_collections_total{{generation=\"{i}\"}}", 1700 >> i);
        Head("python_info", "gauge", "Python platform information");
        Line("python_info{implementation=\"CPython\",major=\"3\",minor=\"12\",patchlevel=\"11\",version=\"3.12.11\"}", 1);
        foreach (var (name, value) in new[] { ("process_virtual_memory_bytes", 2.5e11), ("process_resident_memory_bytes", 5.1e9), ("process_start_time_seconds", 1.78e9 + 0.25), ("process_open_fds", 91) })
        {
            Head(name, "gauge", "Of this process.");
            Line(name, value);
        }

        Head("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.");
        Line("process_cpu_seconds_total", 8123.77);
    }

    private void Engine()
    {
        Gauge("num_requests_running", "Number of requests in model execution batches.", Running);
        Gauge("num_requests_waiting", "Number of requests waiting to be processed.", Waiting);
        Head("vllm:num_requests_waiting_by_reason", "gauge", "Number of requests waiting, by reason.");
        foreach (var engine in Enumerable.Range(0, Engines))
        {
            foreach (var reason in new[] { "capacity", "deferred" }) Line($"vllm:num_requests_waiting_by_reason{{{Labels(engine)},reason=\"{reason}\"}}", reason == "capacity" ? Waiting : 0);
        }

        Head("vllm:engine_sleep_state", "gauge", "Engine sleep state; awake = 0 means engine is sleeping.");
        foreach (var engine in Enumerable.Range(0, Engines))
        {
            foreach (var state in new[] { "awake", "weights_offloaded", "discard_all" }) Line($"vllm:engine_sleep_state{{{Labels(engine)},sleep_state=\"{state}\"}}", state == "awake" ? 1 : 0);
        }

        Gauge("kv_cache_usage_perc", "KV-cache usage. 1 means 100 percent usage.", KvUtilizationRatio);
        foreach (var (name, each) in new[] { ("prefix_cache_queries", 900d), ("prefix_cache_hits", 400), ("external_prefix_cache_queries", 0), ("external_prefix_cache_hits", 0), ("mm_cache_queries", 0), ("mm_cache_hits", 0), ("num_preemptions", 0.001), ("prompt_tokens", 900), ("prompt_tokens_cached", 400), ("generation_tokens", 250) })
            Counter(name, $"Total of {name}, in number of queried tokens.", Math.Floor(each * Requests));
        Head("vllm:request_success_total", "counter", "Count of successfully processed requests.");
        foreach (var suffix in new[] { "total", "created" })
        {
            if (suffix == "created") Head("vllm:request_success_created", "gauge", "Count of successfully processed requests.");
            foreach (var engine in Enumerable.Range(0, Engines))
            {
                foreach (var reason in new[] { "stop", "length", "abort", "error" })
                    Line($"vllm:request_success_{suffix}{{{Labels(engine)},finished_reason=\"{reason}\"}}", suffix == "created" ? 1.78e9 + 0.5 : reason == "stop" ? Requests : 0);
            }
        }

        Histogram("request_prompt_tokens", "Number of prefill tokens processed.", Tokens, 900);
        Histogram("request_generation_tokens", "Number of generation tokens processed.", Tokens, 250);
        Histogram("iteration_tokens_total", "Histogram of number of tokens per engine_step.", [1, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384], 60);
        Histogram("request_max_num_generation_tokens", "Histogram of maximum number of requested generation tokens.", Tokens, 250);
        Histogram("request_params_n", "Histogram of the n request parameter.", [1, 2, 5, 10, 20], 1);
        Histogram("request_params_max_tokens", "Histogram of the max_tokens request parameter.", Tokens, 512);
        Histogram("time_to_first_token_seconds", "Histogram of time to first token in seconds.", FirstTokenSeconds, 0.085);
        Histogram("inter_token_latency_seconds", "Histogram of inter-token latency in seconds.", TokenSeconds, 0.0125, perRequest: 249);
        Histogram("time_per_output_token_seconds", "Histogram of time per output token in seconds. Deprecated.", TokenSeconds, 0.0125, perRequest: 249);
        Histogram("request_time_per_output_token_seconds", "Histogram of time_per_output_token_seconds per request.", TokenSeconds, 0.0125);
        Histogram("e2e_request_latency_seconds", "Histogram of e2e request latency in seconds.", RequestSeconds, 3.2);
        Histogram("request_queue_time_seconds", "Histogram of time spent in WAITING phase for request.", RequestSeconds, 0.01);
        Histogram("request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request.", RequestSeconds, 3.1);
        Histogram("request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request.", RequestSeconds, 0.045);
        Histogram("request_decode_time_seconds", "Histogram of time spent in DECODE phase for request.", RequestSeconds, 3.1);
        Histogram("request_prefill_kv_computed_tokens", "Histogram of new KV tokens computed during prefill (excluding cached tokens).", Tokens, 500);

        Head("vllm:cache_config_info", "gauge", "Information of the LLMEngine CacheConfig");
        foreach (var engine in Enumerable.Range(0, Engines))
            Line($"vllm:cache_config_info{{block_size=\"16\",cache_dtype=\"auto\",calculate_kv_scales=\"False\",cpu_kvcache_space_bytes=\"None\",cpu_offload_gb=\"0\",enable_prefix_caching=\"True\",engine=\"{engine}\",gpu_memory_utilization=\"0.9\",is_attention_free=\"False\",kv_cache_memory_bytes=\"None\",kv_sharing_fast_prefill=\"False\",mamba_block_size=\"None\",mamba_cache_dtype=\"auto\",num_cpu_blocks=\"None\",num_gpu_blocks=\"27890\",num_gpu_blocks_override=\"None\",prefix_caching_hash_algo=\"sha256\",sliding_window=\"None\",swap_space=\"4\"}}", 1);
        Head("vllm:lora_requests_info", "gauge", "Running stats on lora requests.");
        Line("vllm:lora_requests_info{max_lora=\"4\",running_lora_adapters=\"\",waiting_lora_adapters=\"\"}", 1.78e9 + 10.25);
        Line("vllm:lora_requests_info{max_lora=\"4\",running_lora_adapters=\"sql-adapter,chat-adapter\",waiting_lora_adapters=\"\"}", 1.78e9 + 99.75);
    }

    private void Http()
    {
        Head("http_requests_total", "counter", "Total number of requests by method, status and handler.");
        foreach (var (handler, method) in Handlers()) Line($"http_requests_total{{handler=\"{handler}\",method=\"{method}\",status=\"2xx\"}}", Requests / 3);
        Head("http_requests_created", "gauge", "Total number of requests by method, status and handler.");
        foreach (var (handler, method) in Handlers()) Line($"http_requests_created{{handler=\"{handler}\",method=\"{method}\",status=\"2xx\"}}", 1.78e9 + 12.5);
        foreach (var what in new[] { "request", "response" })
        {
            Head($"http_{what}_size_bytes", "summary", $"Content length of {what}s by handler.");
            foreach (var (handler, _) in Handlers())
            {
                Line($"http_{what}_size_bytes_count{{handler=\"{handler}\"}}", Requests / 3);
                Line($"http_{what}_size_bytes_sum{{handler=\"{handler}\"}}", 4096d * Requests);
            }
        }

        Head("http_request_duration_highr_seconds", "histogram", "Latency with many buckets but no API specific labels.");
        Buckets("http_request_duration_highr_seconds", "", HttpSeconds, 2.5, Requests);
        Head("http_request_duration_seconds", "histogram", "Latency with only few buckets by handler.");
        foreach (var (handler, method) in Handlers()) Buckets("http_request_duration_seconds", $"handler=\"{handler}\",method=\"{method}\"", [0.1, 0.5, 1], 2.5, Requests / 3);
    }

    private static (string Handler, string Method)[] Handlers() =>
        [("/v1/chat/completions", "POST"), ("/v1/completions", "POST"), ("/v1/models", "GET"), ("/health", "GET"), ("/metrics", "GET")];

    private string Labels(int engine) => $"engine=\"{engine}\",model_name=\"{Model}\"";

    private void Gauge(string name, string help, double value)
    {
        Head($"vllm:{name}", "gauge", help);
        for (var engine = 0; engine < Engines; engine++) Line($"vllm:{name}{{{Labels(engine)}}}", value);
    }

    private void Counter(string name, string help, double value)
    {
        Head($"vllm:{name}_total", "counter", help);
        for (var engine = 0; engine < Engines; engine++) Line($"vllm:{name}_total{{{Labels(engine)}}}", value);
        Head($"vllm:{name}_created", "gauge", help);
        for (var engine = 0; engine < Engines; engine++) Line($"vllm:{name}_created{{{Labels(engine)}}}", 1.78e9 + 0.7890625);
    }

    private void Histogram(string name, string help, double[] bounds, double mean, int perRequest = 1)
    {
        Head($"vllm:{name}", "histogram", help);
        for (var engine = 0; engine < Engines; engine++) Buckets($"vllm:{name}", Labels(engine), bounds, mean, (double)Requests * perRequest);
        Head($"vllm:{name}_created", "gauge", help);
        for (var engine = 0; engine < Engines; engine++) Line($"vllm:{name}_created{{{Labels(engine)}}}", 1.78e9 + 0.7890625);
    }

    // As if everything were spread exponentially about its mean. The server sorts its labels: engine, le, model_name.
    private void Buckets(string name, string labels, double[] bounds, double mean, double count)
    {
        var split = labels.IndexOf(",model_name", StringComparison.Ordinal);
        var before = labels.Length == 0 ? "" : (split < 0 ? labels : labels[..split]) + ",";
        var after = split < 0 ? "" : labels[split..];
        foreach (var bound in bounds)
            Line($"{name}_bucket{{{before}le=\"{Number(bound)}\"{after}}}", Math.Floor(count * (1 - Math.Exp(-bound / mean))));
        Line($"{name}_bucket{{{before}le=\"+Inf\"{after}}}", count);
        var braces = labels.Length == 0 ? "" : $"{{{labels}}}";
        Line($"{name}_count{braces}", count);
        Line($"{name}_sum{braces}", count * mean);
    }

    private void Head(string name, string type, string help) => _text.Append("# HELP ").Append(name).Append(' ').Append(help).Append("\n# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private void Line(string series, double value) => _text.Append(series).Append(' ').Append(Number(value)).Append('\n');

    private static string Number(double value) => value.ToString(value == Math.Floor(value) && Math.Abs(value) < 1e16 ? "0.0" : "R", CultureInfo.InvariantCulture);
}
