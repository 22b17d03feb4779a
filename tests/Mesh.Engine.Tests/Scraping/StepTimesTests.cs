using System.Globalization;
using System.Text;
using Mesh.Core.Randomness;
using Mesh.Engine.Scraping;

namespace Mesh.Engine.Tests.Scraping;

public sealed class StepTimesTests
{
    private readonly MetricsPageParser _page = new([]);
    private StepTimes _steps;

    [Fact]
    public void Observe_FirstPage_IsTheMeanOfTheWholeLife()
    {
        Observe(prefills: 1000, prefillSeconds: 90, tokens: 900_000, pauses: 1_000_000, pauseSeconds: 20_000);

        Assert.Equal((0.0001, 1000L), (_steps.MeanPrefillSecondsPerToken!.Value, _steps.PrefillObservations));
        Assert.Equal((0.02, 1_000_000L), (_steps.MeanInterTokenSeconds!.Value, _steps.InterTokenObservations));
    }

    [Fact]
    public void Observe_NothingNew_KeepsTheMeans()
    {
        for (var i = 0; i < 50; i++) Observe(1000, 90, 900_000, 1_000_000, 20_000);

        Assert.Equal((0.0001, 0.02), (Math.Round(_steps.MeanPrefillSecondsPerToken!.Value, 12), Math.Round(_steps.MeanInterTokenSeconds!.Value, 12)));
    }

    [Fact]
    public void Observe_EngineGetsSlower_NewObservationsSoonOutweighTheLongLife()
    {
        Observe(1_000_000, 90_000, 900_000_000, 1e9, 2e7);

        // As many as the window: half old, half new. Then as many again of the slow ones.
        Observe(1_000_032, 90_000 + 32 * 0.27, 900_000_000 + 32 * 900, 1e9 + 2000, 2e7 + 2000 * 0.04);
        Assert.Equal(0.0002, _steps.MeanPrefillSecondsPerToken!.Value, 6);
        Assert.Equal(0.03, _steps.MeanInterTokenSeconds!.Value, 6);
        Observe(1_000_064, 90_000 + 64 * 0.27, 900_000_000 + 64 * 900, 1e9 + 4000, 2e7 + 4000 * 0.04);
        Assert.Equal(0.035, _steps.MeanInterTokenSeconds!.Value, 6);
    }

    [Fact]
    public void Observe_CountersBeginAnew_ForgetsTheFormerLife()
    {
        Observe(1000, 90, 900_000, 1_000_000, 20_000);
        Observe(2, 1, 1000, 100, 5);

        Assert.Equal((0.001, 2L, 0.05, 100L), (_steps.MeanPrefillSecondsPerToken!.Value, _steps.PrefillObservations, _steps.MeanInterTokenSeconds!.Value, _steps.InterTokenObservations));
    }

    [Fact]
    public void Observe_EmptyOrMissingHistograms_AreUnknown()
    {
        Observe(0, 0, 0, 0, 0);
        Assert.Equal((null, 0L, null, 0L), (_steps.MeanPrefillSecondsPerToken, _steps.PrefillObservations, _steps.MeanInterTokenSeconds, _steps.InterTokenObservations));

        Observe(1000, 90, 900_000, 1_000_000, 20_000);
        Parse("vllm:request_prefill_time_seconds_sum 5\nvllm:request_prefill_time_seconds_count 5\nvllm:inter_token_latency_seconds_sum 5\n");
        Assert.Equal((null, null), (_steps.MeanPrefillSecondsPerToken, _steps.MeanInterTokenSeconds));
    }

    [Theory]
    [InlineData("vllm:time_per_output_token_seconds_sum 6\nvllm:time_per_output_token_seconds_count 100\n", 0.06)]
    [InlineData("vllm:time_per_output_token_seconds_sum 6\nvllm:time_per_output_token_seconds_count 100\nvllm:inter_token_latency_seconds_sum 5\nvllm:inter_token_latency_seconds_count 100\n", 0.05)]
    [InlineData("vllm:inter_token_latency_seconds_sum{engine=\"0\"} 5\nvllm:inter_token_latency_seconds_count{engine=\"0\"} 100\nvllm:inter_token_latency_seconds_sum{engine=\"1\"} 9\nvllm:inter_token_latency_seconds_count{engine=\"1\"} 100\n", 0.07)]
    [InlineData("vllm:request_time_per_output_token_seconds_sum 6\nvllm:request_time_per_output_token_seconds_count 100\n", null)]
    public void Observe_OldNameOrSeveralEngines_AreRead(string page, double? expected)
    {
        Parse(page);

        Assert.Equal(expected, _steps.MeanInterTokenSeconds);
    }

    [Fact]
    public void Observe_AnyPaceOfTheScrapes_StaysWithinWhatWasObserved()
    {
        const ulong Seed = 5;
        var random = new Xoshiro256(Seed);
        double prefills = 0, prefillSeconds = 0, tokens = 0, pauses = 0, pauseSeconds = 0;
        for (var i = 0; i < 20_000; i++)
        {
            for (var k = random.NextInt32(40); k > 0; k--)
            {
                var prompt = 1 + random.NextInt32(5000);
                (prefills, tokens, prefillSeconds) = (prefills + 1, tokens + prompt, prefillSeconds + prompt * (0.0001 + 0.0001 * random.NextDouble()));
            }

            var more = random.NextInt32(3000);
            (pauses, pauseSeconds) = (pauses + more, pauseSeconds + more * (0.01 + 0.01 * random.NextDouble()));
            Observe(prefills, prefillSeconds, tokens, pauses, pauseSeconds);
            Assert.True(_steps.MeanPrefillSecondsPerToken is null or (>= 0.0000999 and <= 0.0002001), $"seed {Seed}, page {i}");
            Assert.True(_steps.MeanInterTokenSeconds is null or (>= 0.00999 and <= 0.02001), $"seed {Seed}, page {i}");
        }
    }

    private void Observe(double prefills, double prefillSeconds, double tokens, double pauses, double pauseSeconds) => Parse(string.Create(CultureInfo.InvariantCulture, $"""
        vllm:request_prefill_time_seconds_sum {prefillSeconds}
        vllm:request_prefill_time_seconds_count {prefills}
        vllm:request_prompt_tokens_sum {tokens}
        vllm:inter_token_latency_seconds_sum {pauseSeconds}
        vllm:inter_token_latency_seconds_count {pauses}

        """));

    private void Parse(string page)
    {
        _page.Parse(Encoding.UTF8.GetBytes(page));
        _steps.Observe(_page);
    }
}
