using System.Globalization;
using Mesh.Simulation.Model;
using Microsoft.AspNetCore.Http;

namespace Mesh.Simulation.Server;

/// <summary>The page of <c>/metrics</c>: vLLM's names, types and labels.</summary>
internal sealed class MetricsPage
{
    private readonly SimulatedVllmOptions _options;
    private readonly ModelCatalog _models;
    private readonly EngineHost _host;
    private readonly RequestCounts _counts;
    private readonly string _engineLabel = "engine=\"0\"";
    private readonly string _modelLabel;
    private readonly string _labels;
    private readonly double _createdSeconds;

    public MetricsPage(SimulatedVllmOptions options, ModelCatalog models, EngineHost host, RequestCounts counts)
    {
        _options = options;
        _models = models;
        _host = host;
        _counts = counts;
        _modelLabel = $"model_name=\"{PrometheusWriter.Escape(models.Default.Name)}\"";
        _labels = $"{_engineLabel},{_modelLabel}";
        _createdSeconds = Seconds(options.TimeProvider);
    }

    public async Task SendAsync(HttpContext context)
    {
        using var buffer = new PooledBuffer(64 * 1024);
        _host.Read(new PrometheusWriter(buffer), Write);
        await HttpAnswers.SendAsync(context, StatusCodes.Status200OK, PrometheusWriter.ContentType, buffer.WrittenMemory);
    }

    private static double Seconds(TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0;

    private void Write(VllmEngine engine, PrometheusWriter page)
    {
        WriteState(engine, page);
        WriteCounters(engine.Metrics, page);
        WriteHistograms(engine.Metrics, page);
    }

    private void WriteState(VllmEngine engine, PrometheusWriter page)
    {
        // In instant mode no request enters the engine: those being answered are the running ones.
        var running = _options.Instant ? _counts.Open : engine.Running;
        Gauge(page, "vllm:num_requests_running", "Requests in the running batch.", running);
        Gauge(page, "vllm:num_requests_waiting", "Requests in the queue.", engine.Waiting);
        page.Head("vllm:num_requests_waiting_by_reason", "Requests in the queue, by what they wait for.", "gauge");
        page.Sample("vllm:num_requests_waiting_by_reason", $"{_labels},reason=\"capacity\"", engine.Waiting - engine.WaitingForLora);
        page.Sample("vllm:num_requests_waiting_by_reason", $"{_labels},reason=\"deferred\"", engine.WaitingForLora);
        page.Head("vllm:engine_sleep_state", "Which state the engine is in: 1 for that state, 0 for the others.", "gauge");
        page.Sample("vllm:engine_sleep_state", $"{_labels},sleep_state=\"awake\"", 1);
        page.Sample("vllm:engine_sleep_state", $"{_labels},sleep_state=\"weights_offloaded\"", 0);
        page.Sample("vllm:engine_sleep_state", $"{_labels},sleep_state=\"discard_all\"", 0);
        Gauge(page, _options.LegacyMetricNames ? "vllm:gpu_cache_usage_perc" : "vllm:kv_cache_usage_perc", "Share of the KV cache in use, 0 to 1.", engine.KvUtilizationRatio);
        page.Head("vllm:cache_config_info", "Sizes of the KV cache.", "gauge");
        page.Sample("vllm:cache_config_info", CacheLabels(), 1);
        if (!_models.HasAdapters) return;
        page.Head("vllm:lora_requests_info", "Adapters with running and with waiting requests; the value is the time.", "gauge");
        page.Sample("vllm:lora_requests_info", LoraLabels(engine), Seconds(_options.TimeProvider));
    }

    private void WriteCounters(EngineMetrics metrics, PrometheusWriter page)
    {
        Counter(page, "vllm:prefix_cache_queries", "Prompt tokens looked up in the prefix cache.", metrics.PrefixCacheQueries);
        Counter(page, "vllm:prefix_cache_hits", "Prompt tokens found in the prefix cache.", metrics.PrefixCacheHits);
        Counter(page, "vllm:num_preemptions", "Requests sent back to the queue because the KV cache was full.", metrics.Preemptions);
        Counter(page, "vllm:prompt_tokens", "Prompt tokens of requests past their prefill.", metrics.PromptTokens);
        Counter(page, "vllm:prompt_tokens_cached", "Prompt tokens that came from the prefix cache.", metrics.PromptTokensCached);
        Counter(page, "vllm:generation_tokens", "Tokens generated.", metrics.GenerationTokens);
        CounterBy(page, "vllm:request_success", "Requests ended, by reason.", "finished_reason",
            ("stop", metrics.Finished(FinishReason.Stop)), ("length", metrics.Finished(FinishReason.Length)),
            ("abort", metrics.Finished(FinishReason.Abort)), ("error", metrics.Finished(FinishReason.Error)));
        CounterBy(page, "vllm:admission_rejections", "Requests refused on arrival, by reason.", "reason", ("queue_full", _host.Rejections));
    }

    private void WriteHistograms(EngineMetrics metrics, PrometheusWriter page)
    {
        Histogram(page, "vllm:time_to_first_token_seconds", "Time from arrival to first token.", metrics.TimeToFirstToken);
        Histogram(page, "vllm:inter_token_latency_seconds", "Time between one token and the next.", metrics.InterTokenLatency);
        Histogram(page, "vllm:request_time_per_output_token_seconds", "Mean time per token after the first of a request.", metrics.TimePerOutputToken);
        Histogram(page, "vllm:e2e_request_latency_seconds", "Time from arrival to end.", metrics.E2eLatency);
        Histogram(page, "vllm:request_queue_time_seconds", "Time in the queue.", metrics.QueueTime);
        Histogram(page, "vllm:request_inference_time_seconds", "Time from admission to end.", metrics.InferenceTime);
        Histogram(page, "vllm:request_prefill_time_seconds", "Time from admission to first token.", metrics.PrefillTime);
        Histogram(page, "vllm:request_decode_time_seconds", "Time from first to last token.", metrics.DecodeTime);
        Histogram(page, "vllm:request_prompt_tokens", "Prompt tokens per request.", metrics.RequestPromptTokens);
        Histogram(page, "vllm:request_generation_tokens", "Generated tokens per request.", metrics.RequestGenerationTokens);
        Histogram(page, "vllm:request_params_n", "Answers asked for per prompt.", metrics.RequestParamsN);
        Histogram(page, "vllm:request_params_max_tokens", "Cap on tokens asked for.", metrics.RequestParamsMaxTokens);
        Histogram(page, "vllm:iteration_tokens_total", "Tokens per step of the engine.", metrics.IterationTokens);
    }

    private void Gauge(PrometheusWriter page, string name, string help, double value)
    {
        page.Head(name, help, "gauge");
        page.Sample(name, _labels, value);
    }

    private void Counter(PrometheusWriter page, string name, string help, double value)
    {
        page.Head($"{name}_total", help, "counter");
        page.Sample($"{name}_total", _labels, value);
        page.Head($"{name}_created", help, "gauge");
        page.Sample($"{name}_created", _labels, _createdSeconds);
    }

    private void CounterBy(PrometheusWriter page, string name, string help, string label, params ReadOnlySpan<(string Value, long Count)> samples)
    {
        page.Head($"{name}_total", help, "counter");
        foreach (var (value, count) in samples) page.Sample($"{name}_total", LabelsWith(label, value), count);
        page.Head($"{name}_created", help, "gauge");
        foreach (var (value, _) in samples) page.Sample($"{name}_created", LabelsWith(label, value), _createdSeconds);
    }

    private void Histogram(PrometheusWriter page, string name, string help, Histogram histogram)
    {
        page.Head(name, help, "histogram");
        page.Histogram(name, _engineLabel, _modelLabel, histogram);
        page.Head($"{name}_created", help, "gauge");
        page.Sample($"{name}_created", _labels, _createdSeconds);
    }

    private string LabelsWith(string label, string value) => string.CompareOrdinal(label, "model_name") < 0
        ? $"{_engineLabel},{label}=\"{value}\",{_modelLabel}"
        : $"{_labels},{label}=\"{value}\"";

    private string CacheLabels() => string.Create(
        CultureInfo.InvariantCulture,
        $"block_size=\"{_options.BlockSize}\",cache_dtype=\"auto\",enable_prefix_caching=\"{_options.EnablePrefixCaching}\",{_engineLabel},gpu_memory_utilization=\"0.9\",num_gpu_blocks=\"{_options.NumGpuBlocks}\",prefix_caching_hash_algo=\"builtin\"");

    private string LoraLabels(VllmEngine engine) =>
        $"max_lora=\"{_options.MaxLoras}\",running_lora_adapters=\"{Names(engine, waiting: false)}\",waiting_lora_adapters=\"{Names(engine, waiting: true)}\"";

    private string Names(VllmEngine engine, bool waiting)
    {
        List<int> loras = [];
        engine.ListLoras(loras, waiting);
        return PrometheusWriter.Escape(string.Join(',', loras.Select(_models.AdapterName)));
    }
}
