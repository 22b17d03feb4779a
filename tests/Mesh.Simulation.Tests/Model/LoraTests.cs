using Mesh.Simulation.Model;

namespace Mesh.Simulation.Tests.Model;

public class LoraTests
{
    [Fact]
    public void Admit_NoSlotLeft_DefersThatAdapterAndLetsOthersPass()
    {
        var driver = new EngineDriver(new VllmModelOptions { MaxLoras = 1 });
        driver.Add("one", 16, 10, lora: 1);
        driver.Add("two", 16, 10, lora: 2);
        driver.Add("base", 16, 10);
        driver.Step();
        Assert.Equal((2, 1, 1), (driver.Engine.Running, driver.Engine.Waiting, driver.Engine.WaitingForLora));
        List<int> running = [], waiting = [];
        driver.Engine.ListLoras(running, waiting: false);
        driver.Engine.ListLoras(waiting, waiting: true);
        Assert.Equal([1], running);
        Assert.Equal([2], waiting);
        driver.Run();
        Assert.True(driver.FirstTokenMs["two"] > driver.Finished["one"].Progress.TimeMs);
    }

    [Fact]
    public void Admit_AdapterNotLoaded_AddsItsLoadTimeOnce()
    {
        var driver = new EngineDriver(new VllmModelOptions { MaxLoras = 1, LoraLoadMs = 100 });
        driver.Add("a", 16, 1, lora: 1);
        Assert.Equal(108.426, driver.Step().DurationMs, 9);
        driver.Add("b", 16, 1, lora: 1);
        Assert.Equal(8.426, driver.Step().DurationMs, 9);
        driver.Add("c", 16, 1, lora: 2);
        Assert.Equal(108.426, driver.Step().DurationMs, 9);
        driver.Add("d", 16, 1, lora: 1);
        Assert.Equal(108.426, driver.Step().DurationMs, 9);
    }

    [Fact]
    public void Abort_WaitingAdapter_IsNotListedAnyMore()
    {
        var driver = new EngineDriver(new VllmModelOptions { MaxLoras = 1 });
        driver.Add("one", 16, 10, lora: 1);
        var two = driver.Add("two", 16, 10, lora: 2);
        driver.Step();
        driver.Engine.Abort(two);
        List<int> waiting = [];
        driver.Engine.ListLoras(waiting, waiting: true);
        Assert.Empty(waiting);
    }
}
