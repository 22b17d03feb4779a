using Mesh.Simulation.Model;
using Mesh.Simulation.Server;
using Mesh.Testing;

namespace Mesh.Simulation.Tests.Server;

public class EngineHostTests
{
    [Fact]
    public void Wake_AtTheStepsEnd_TellsTheFirstToken()
    {
        var clock = new ManualTimeProvider();
        using var host = new EngineHost(new VllmModelOptions(), clock, speed: 1, maxQueued: 10);
        var (generation, answer) = Submit(host, prompt: 512, output: 2);
        clock.Advance(TimeSpan.FromMilliseconds(13));
        Assert.Equal(0, answer.Ready);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(1, answer.Ready);
        clock.Advance(TimeSpan.FromMilliseconds(7));
        Assert.True(generation.Finished);
        Assert.Equal(FinishReason.Length, answer.Reason);
    }

    [Fact]
    public void Wake_Late_CompletesEveryStepThatIsDue()
    {
        var clock = new ManualTimeProvider();
        using var host = new EngineHost(new VllmModelOptions(), clock, speed: 1000, maxQueued: 10);
        var (generation, answer) = Submit(host, prompt: 16, output: 100);
        clock.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(100, answer.Ready);
        Assert.True(generation.Finished);
    }

    [Fact]
    public void TrySubmit_QueueFull_RefusesTheWholeRequest()
    {
        var clock = new ManualTimeProvider();
        using var host = new EngineHost(new VllmModelOptions { MaxNumSeqs = 1 }, clock, speed: 1, maxQueued: 1);
        Submit(host, 16, 10);
        Submit(host, 16, 10);
        Assert.Equal((1, 1), (host.Running, host.Waiting));
        Assert.False(host.TrySubmit(Make(10, out var requests), requests));
        Assert.Equal((1, 1, 1), (host.Running, host.Waiting, (int)host.Rejections));
    }

    [Fact]
    public void Abort_BeforeTheStepEnds_EmptiesTheEngine()
    {
        var clock = new ManualTimeProvider();
        using var host = new EngineHost(new VllmModelOptions(), clock, speed: 1, maxQueued: 10);
        var (generation, answer) = Submit(host, 16, 10);
        host.Abort(generation);
        Assert.Equal((0, 0), (host.Running, host.Waiting));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(0, answer.Ready);
        // The engine takes new work after the empty step.
        Assert.Equal(1, Run(host, clock));
    }

    private static int Run(EngineHost host, ManualTimeProvider clock)
    {
        var (_, answer) = Submit(host, 16, 1);
        clock.Advance(TimeSpan.FromMilliseconds(100));
        return answer.Ready;
    }

    private static (Generation Generation, Answer Answer) Submit(EngineHost host, int prompt, int output)
    {
        var generation = Make(output, out var requests, prompt);
        Assert.True(host.TrySubmit(generation, requests));
        return (generation, generation.Answers[0]);
    }

    private static Generation Make(int output, out List<VllmRequest> requests, int prompt = 16)
    {
        var generation = new Generation(streams: true);
        generation.Add(new Answer(generation, 0, new int[output], FinishReason.Length, int.MaxValue, ""));
        requests = [new VllmRequest { PromptTokens = prompt, OutputTokens = output, EndsWith = FinishReason.Length }];
        return generation;
    }
}
